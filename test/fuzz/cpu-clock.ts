/** Milliseconds of CPU that this process has used: what waits for the processor is not slow. */
export function cpuMillis(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
