import { file, pythonModule, type Requirement } from '../support/requirements.js'
import type { Lab } from './lab.js'

const PYTHON = '/usr/bin/python3'

export const debianPython = (...modules: readonly string[]): Requirement[] => [
  file(PYTHON, "Debian's Python"),
  ...modules.map(pythonModule),
]

/** Runs one of programs/*.py with Debian's Python. */
export function servePython(lab: Lab, name: string, args: readonly string[] = [], port = lab.port): Promise<void> {
  return lab.serve({ name, command: PYTHON, args: [lab.program(`${name}.py`), ...args], port })
}
