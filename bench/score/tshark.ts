import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Between several values of one field in one packet. */
const AGGREGATOR = '\u0001'

/** Ports that connections of the capture were opened to, and the usual one, for those whose beginning is not there. */
export async function listeningPorts(path: string, usual: number): Promise<readonly string[]> {
  const opened = await tsharkFields(path, [], 'tcp.flags.syn == 1 and tcp.flags.ack == 0', ['tcp.dstport'])
  return [...new Set([String(usual), ...opened.flat(2)])]
}

/**
 * The values of the fields, one row a packet that fits the filter, each a list of what the packet holds.
 * @param decodeAs rules like 'tcp.port==3306,mysql'
 */
export async function tsharkFields(
  path: string,
  decodeAs: readonly string[],
  filter: string,
  fields: readonly string[],
): Promise<string[][][]> {
  const args = ['-n', '-r', path, ...decodeAs.flatMap(rule => ['-d', rule]), '-Y', filter, '-T', 'fields']
  args.push('-E', 'separator=/t', '-E', `aggregator=${AGGREGATOR}`, '-E', 'occurrence=a')
  for (const field of fields) args.push('-e', field)
  const { stdout } = await run('tshark', args, { maxBuffer: 64 << 20 }).catch((error: { stdout?: string }) => {
    // A capture that is cut short makes it end with 2, after it has told all it found.
    if (error.stdout === undefined) throw error
    return { stdout: error.stdout }
  })
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.split('\t').map(value => (value === '' ? [] : value.split(AGGREGATOR))))
}
