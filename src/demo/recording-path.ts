import { join } from 'node:path'
import { packageRoot } from '../capture/native-addon.js'

const folder = (): string => join(packageRoot(), 'src', 'demo', 'recording')

/** The recording of a run of the demo that the package brings along. */
export const demoRecordingPath = (): string => join(folder(), 'demo.gspn.gz')

/** What the demo's services noted while it was recorded: JSON lines, gzip. */
export const demoTruthPath = (): string => join(folder(), 'truth.jsonl.gz')
