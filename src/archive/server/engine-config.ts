/**
 * Configuration of the embedded engine for a small host: measured at 10,000 spans/s with no visible difference to the
 * defaults, which are meant for a server that has the machine to itself.
 */
export function engineConfig(): string {
  const settings = {
    mark_cache_size: 32 << 20,
    uncompressed_cache_size: 0,
    max_server_memory_usage: 1_500_000_000,
    background_pool_size: 1,
    background_schedule_pool_size: 4,
    background_fetches_pool_size: 1,
    background_common_pool_size: 2,
  }
  const lines = Object.entries(settings).map(([name, value]) => `  <${name}>${value}</${name}>`)
  return `<clickhouse>\n${lines.join('\n')}\n</clickhouse>\n`
}
