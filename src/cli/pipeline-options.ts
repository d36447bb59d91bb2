import type { Settings } from '../config/settings.js'
import type { PipelineOptions } from '../pipeline.js'

/** What the settings say about the pipeline. */
export function pipelineOptionsOf(settings: Settings): Omit<PipelineOptions, 'source' | 'sinks' | 'counters'> {
  return {
    disabledProtocols: settings.disabledProtocols,
    serviceRules: settings.serviceRules,
    processRoots: settings.traces.processRoots,
    quietMillis: settings.traces.quietMillis,
    longestMillis: settings.traces.longestMillis,
    confidenceFloor: settings.correlation.confidenceFloor,
    openLimit: settings.traces.openLimit,
    pollMillis: settings.capture.pollIntervalMillis,
    resourceAttributes: settings.resourceAttributes,
  }
}
