import type { ProcessInfo } from '../capture/process-info.js'

/** Usual ports of OpenStack's APIs, and what an operator calls the service behind each. */
const SERVICE_BY_PORT: Readonly<Record<number, string>> = {
  5000: 'keystone',
  35357: 'keystone',
  8774: 'nova-api',
  8775: 'nova-metadata',
  8778: 'placement-api',
  9292: 'glance-api',
  9696: 'neutron-server',
  8776: 'cinder-api',
  8004: 'heat-api',
  8000: 'heat-api-cfn',
  9876: 'octavia-api',
  9311: 'barbican-api',
  9511: 'magnum-api',
  6385: 'ironic-api',
  9001: 'designate-api',
  8786: 'manila-api',
}

/** DevStack's units are called after the service's short name: `devstack@n-api.service`. */
const DEVSTACK: Readonly<Record<string, string>> = {
  'n-api': 'nova-api',
  'n-api-meta': 'nova-metadata',
  'n-cond': 'nova-conductor',
  'n-super-cond': 'nova-super-conductor',
  'n-cond-cell1': 'nova-conductor',
  'n-cpu': 'nova-compute',
  'n-sch': 'nova-scheduler',
  'g-api': 'glance-api',
  'q-svc': 'neutron-server',
  'q-agt': 'neutron-openvswitch-agent',
  'q-dhcp': 'neutron-dhcp-agent',
  'q-l3': 'neutron-l3-agent',
  'q-meta': 'neutron-metadata-agent',
  'c-api': 'cinder-api',
  'c-sch': 'cinder-scheduler',
  'c-vol': 'cinder-volume',
  'c-bak': 'cinder-backup',
}

/** The name in a systemd unit, without what distributions put around it. @param unit without `.service`. */
export function openstackUnit(unit: string): string {
  if (unit.startsWith('devstack@')) {
    const short = unit.slice('devstack@'.length)
    return DEVSTACK[short] ?? short
  }
  return unit.replace(/^openstack-/, '')
}

const CONFIG_FILE = /^--config-(?:file|dir)(?:=(.+))?$/
const CONFIG_PLACE =
  /\/(keystone|glance|placement|nova|neutron|cinder|heat|octavia|barbican|magnum|ironic|designate|manila)(?:\/|$)/
const WSGI_TITLE = /^\(wsgi:([a-z-]+)/
const PROJECTS = ['keystone', 'placement', 'nova', 'neutron', 'glance', 'cinder', 'heat', 'octavia', 'barbican']

/**
 * What a process is whose program says nothing (a web server, an interpreter, uWSGI with an `app.ini`): by the port it
 * listens on, by mod_wsgi's process title, by the configuration files it was given.
 */
export function openstackName({ listens, commandLine }: ProcessInfo): string | undefined {
  const byPort = listens.map(port => SERVICE_BY_PORT[port]).filter(name => name !== undefined)
  const title = WSGI_TITLE.exec(commandLine[0] ?? '')?.[1]
  if (title !== undefined) {
    // The title is cut after a few letters.
    const project = PROJECTS.find(each => title.startsWith(each))
    if (project !== undefined) return byPort.find(name => name.startsWith(project)) ?? serviceOf(project)
  }
  const files: string[] = []
  for (const [i, word] of commandLine.entries()) {
    const match = CONFIG_FILE.exec(word)
    const value = match === null ? undefined : (match[1] ?? commandLine[i + 1])
    if (value !== undefined) files.push(value)
  }
  const places = files.map(file => CONFIG_PLACE.exec(file)?.[1]).filter(place => place !== undefined)
  // One port that only one service has is as good as its name; more than one are a web server's.
  if (new Set(byPort).size === 1 && (places.length === 0 || byPort[0]!.startsWith(places[0]!))) return byPort[0]
  return places[0] === undefined ? undefined : serviceOf(places[0])
}

/** The API of a project, where nothing more is known. */
function serviceOf(project: string): string {
  return project === 'keystone' ? project : project === 'neutron' ? 'neutron-server' : `${project}-api`
}

/** `nova-api-wsgi`, `keystone-wsgi-public`, `placement-api`: the scripts that WSGI servers load. */
export function withoutWsgi(script: string): string {
  return script.replace(/-wsgi(-(public|admin))?$/, '')
}
