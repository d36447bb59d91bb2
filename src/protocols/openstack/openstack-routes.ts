import type { RouteTemplates } from '../route-templates.js'
import { actionIn } from './action.js'
import { type OpenstackApi, openstackApis } from './api-routes.js'

interface Step {
  readonly names: Map<string, Step>
  parameter: Step | undefined
  /** A route ends here. */
  template: string | undefined
}
interface CompiledApi {
  readonly api: OpenstackApi
  readonly root: Step
}

const MOST_SEGMENTS = 16
const createStep = (): Step => ({ names: new Map(), parameter: undefined, template: undefined })

function compile(api: OpenstackApi): CompiledApi {
  const root = createStep()
  for (const route of [...(api.version === '' ? [] : ['', '/']), ...api.routes]) {
    let step = root
    for (const segment of route.split('/').slice(1)) {
      if (segment.startsWith('{')) {
        step = step.parameter ??= createStep()
      } else {
        let next = step.names.get(segment)
        if (next === undefined) step.names.set(segment, (next = createStep()))
        step = next
      }
    }
    step.template ??= `${api.version}${route}`
  }
  return { api, root }
}

const compiled = openstackApis.map(compile)

/** Names win over parameters; where a name leads nowhere, a parameter is tried. */
function find(step: Step, path: string, start: number, depth: number): string | undefined {
  if (start > path.length) return step.template
  if (depth === MOST_SEGMENTS) return undefined
  const slash = path.indexOf('/', start)
  const end = slash === -1 ? path.length : slash
  const named = step.names.get(path.slice(start, end))
  const byName = named === undefined ? undefined : find(named, path, end + 1, depth + 1)
  if (byName !== undefined || step.parameter === undefined || end === start) return byName
  return find(step.parameter, path, end + 1, depth + 1)
}

/** Where the API's own path begins: behind its mount; -1 if this cannot be a path of it. */
function beginOf({ mounts, version }: OpenstackApi, path: string): number {
  for (const mount of mounts) {
    if (path.startsWith(mount) && isVersionAt(version, path, mount.length)) return mount.length
  }
  return isVersionAt(version, path, 0) ? 0 : -1
}

function isVersionAt(version: string, path: string, at: number): boolean {
  if (!path.startsWith(version, at)) return false
  const next = path.charCodeAt(at + version.length)
  return Number.isNaN(next) || next === 0x2f
}

/** The API that such a path shows, wherever it listens. */
function apiShownBy(path: string): CompiledApi | undefined {
  return compiled.find(({ api }) => {
    const begin = beginOf(api, path)
    if (begin === -1) return false
    return begin > 0 || api.distinctive.test(path.slice(api.version.length))
  })
}

/**
 * Routes as OpenStack's API references write them, for one listening endpoint. Which APIs it has is known by its port, or
 * by the first path that only one of them has. What no table knows, the endpoint's learned templates name.
 */
export function createOpenstackRoutes(port: number, learned: RouteTemplates): RouteTemplates {
  const here: CompiledApi[] = compiled.filter(({ api }) => api.ports.includes(port))
  return {
    template(path) {
      const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length
      const asked = end === path.length ? path : path.slice(0, end)
      const known = templateOf(here, asked)
      if (known !== undefined) return known
      const shown = here.length === compiled.length ? undefined : apiShownBy(asked)
      if (shown === undefined || here.includes(shown)) return learned.template(path)
      here.push(shown)
      return templateOf([shown], asked) ?? learned.template(path)
    },
    bodyTells: route => here.length > 0 && route.endsWith('/action'),
    operationIn: actionIn,
  }
}

function templateOf(apis: readonly CompiledApi[], path: string): string | undefined {
  for (const { api, root } of apis) {
    const begin = beginOf(api, path)
    if (begin === -1) continue
    const template = find(root, path, begin + api.version.length + 1, 0)
    if (template !== undefined) return begin === 0 ? template : `${path.slice(0, begin)}${template}`
  }
  return undefined
}
