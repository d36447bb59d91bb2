import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { EventReader } from '../../src/capture/event-reader.js'
import { createPcapSource } from '../../src/capture/pcap-source.js'
import { createProcesses } from '../../src/capture/processes.js'
import { createRouteTemplates } from '../../src/protocols/learned-route-templates.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { createCarriers } from '../../src/samples/carriers.js'
import { ConnectionDriver } from '../../src/samples/connection-driver.js'
import { createMessageBacklog } from '../../src/samples/message-backlog.js'
import { createRemoteCalls } from '../../src/samples/remote-calls.js'
import { createSampleRecorder } from '../../src/samples/sample-recorder.js'
import { createCounters } from '../../src/telemetry/counters.js'

export interface SamplesRead {
  /** Operations that were read to their end. */
  readonly samples: number
  /** … without handshakes and the like. */
  readonly operations: number
  readonly batches: number
}

/**
 * The production path from a packet capture to finished samples, as the pipeline puts it together, with nothing behind
 * it. @param afterBatch called when a batch of records has been read
 */
export function readSamples(path: string, afterBatch: () => void = () => {}): SamplesRead {
  const counters = createCounters()
  const source = createPcapSource(path, { counters })
  const record = new EventReader(createCaptureClock(source.origin))
  const processes = createProcesses()
  const carriers = createCarriers()
  const routes = createRouteTemplates()
  let operations = 0
  const recorder = createSampleRecorder({
    record,
    processes,
    carriers,
    remoteCalls: createRemoteCalls(carriers, createMessageBacklog()),
    listener: {
      begin: () => {},
      keyed: () => {},
      requested: () => {},
      complete: ({ exchange }) => {
        if (!exchange.housekeeping) operations++
      },
    },
  })
  const driver = new ConnectionDriver({
    modules: protocolModules,
    processes,
    carriers,
    recorder,
    control: source.control,
    counters,
    routes: () => routes,
  })
  let batches = 0
  for (let batch = source.read(); batch !== undefined; batch = source.read()) {
    record.read(batch, driver)
    batches++
    afterBatch()
  }
  driver.finish()
  return { samples: recorder.samples, operations, batches }
}
