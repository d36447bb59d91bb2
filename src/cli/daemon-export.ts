import type { OtlpExporterSettings } from '../config/settings.js'
import { createOtlpTarget, type OtlpTarget, type SinkContext } from './trace-sinks.js'

/** How often a receiver that nobody asked for is looked for, where none listened at the start. */
const LOOK_AGAIN_MILLIS = 30_000

/** Where a daemon sends its spans. */
export interface DaemonExport {
  close(): Promise<void>
}

/**
 * Opens what the settings name; where they name nothing, the standard local receiver, now or as soon as it listens.
 *
 * @param add takes each new target, also one that turns up later
 */
export async function openDaemonExport(context: SinkContext, add: (target: OtlpTarget) => void): Promise<DaemonExport> {
  const { settings, log } = context
  const targets: OtlpTarget[] = []
  const open = async (exporter: OtlpExporterSettings): Promise<void> => {
    const target = await createOtlpTarget(exporter, context)
    targets.push(target)
    add(target)
    log.info({ component: 'export' }, `sends to ${target.endpoint} (OTLP, ${target.protocol})`)
  }
  const exporters = settings.export.exporters.filter(one => one.kind === 'otlp')
  let timer: NodeJS.Timeout | undefined
  if (settings.export.when === 'always') {
    for (const exporter of exporters) await open(exporter)
    if (exporters.length === 0) log.info({ component: 'export' }, 'sends nothing over OTLP, as set')
  } else {
    const exporter = exporters[0]
    if (exporter === undefined) log.info({ component: 'export' }, 'sends nothing over OTLP, as set')
    else if (await listens(exporter)) await open(exporter)
    else {
      const hint = `sends nothing yet: nothing listens at ${exporter.endpoint}; it is looked for again, or name another place with --otlp`
      log.info({ component: 'export' }, hint)
      timer = setInterval(async () => {
        if (!(await listens(exporter)) || timer === undefined) return
        clearInterval(timer)
        timer = undefined
        await open(exporter)
      }, LOOK_AGAIN_MILLIS)
      timer.unref()
    }
  }
  return {
    close: async () => {
      clearInterval(timer)
      timer = undefined
      await Promise.all(targets.map(target => target.sink.close()))
    },
  }
}

async function listens(exporter: OtlpExporterSettings): Promise<boolean> {
  const { probeOtlpEndpoint } = await import('../export/probe-otlp-endpoint.js')
  return (await probeOtlpEndpoint(exporter.endpoint)).listening
}
