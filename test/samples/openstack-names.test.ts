import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessInfo } from '../../src/capture/process-info.js'
import { createServiceNames } from '../../src/samples/service-names.js'

function nameOf(commandLine: string, more: Partial<ProcessInfo> = {}): string {
  const words = commandLine.split(' ')
  const info: ProcessInfo = {
    pid: 1,
    parent: 0,
    startNs: 2,
    comm: 'x',
    exe: words[0]!,
    commandLine: words,
    user: 64060,
    cgroup: '',
    listens: [],
    ...more,
  }
  return createServiceNames().nameOf({ pid: 1, comm: 'x', generation: 1, endedNs: undefined, info }, 0)
}

test('services under uWSGI, which share one comm, are told apart by what they load', () => {
  const uwsgi = '/usr/bin/uwsgi_python311 --http-socket 127.0.0.1:1'
  assert.equal(nameOf(`${uwsgi} --ini /etc/keystone/keystone-uwsgi.ini`), 'keystone')
  assert.equal(nameOf(`${uwsgi} --ini /etc/placement/placement-api-uwsgi.ini`), 'placement-api')
  assert.equal(nameOf(`${uwsgi} --ini /etc/nova/nova-api-uwsgi.ini`), 'nova-api')
  assert.equal(
    nameOf(`${uwsgi} --ini /etc/neutron/neutron-api-uwsgi.ini --pyargv --config-file=/etc/neutron/neutron.conf`),
    'neutron-api',
  )
  assert.equal(nameOf(`${uwsgi} --wsgi-file /usr/bin/nova-api-wsgi`), 'nova-api')
  assert.equal(nameOf(`${uwsgi} --wsgi-file=/usr/bin/keystone-wsgi-public`), 'keystone')
})

test('where the program says nothing, the port does, then the title, then the configuration files', () => {
  assert.equal(nameOf('/usr/bin/uwsgi --http :8774', { listens: [8774] }), 'nova-api')
  assert.equal(nameOf('/usr/bin/uwsgi --ini /etc/app.ini', { listens: [9292] }), 'glance-api')
  assert.equal(nameOf('/usr/bin/uwsgi --pyargv --config-file=/etc/placement/placement.conf'), 'placement-api')
  assert.equal(
    nameOf('(wsgi:keystone-pu -k start', { exe: '/usr/sbin/apache2', listens: [80, 5000, 8778] }),
    'keystone',
  )
  assert.equal(nameOf('/usr/sbin/apache2 -k start', { listens: [80, 5000, 8778] }), 'apache2')
  assert.equal(nameOf('/usr/sbin/apache2 -k start', { listens: [80] }), 'apache2')
  assert.equal(nameOf('/usr/bin/postgres -D /srv', { exe: '/usr/bin/postgres', listens: [5000] }), 'postgres')
})

test("daemons are called by their scripts, units by what is in them whatever the distribution's way", () => {
  const python = { exe: '/usr/bin/python3.11' }
  assert.equal(
    nameOf('/usr/bin/python3 /usr/bin/nova-conductor --config-file=/etc/nova/nova.conf', python),
    'nova-conductor',
  )
  assert.equal(
    nameOf('/usr/bin/python3 /usr/bin/glance-api --config-file=/etc/glance/glance-api.conf', python),
    'glance-api',
  )
  assert.equal(nameOf('/usr/bin/python3 x', { ...python, unit: 'openstack-nova-compute.service' }), 'nova-compute')
  assert.equal(nameOf('/usr/bin/python3 x', { ...python, unit: 'devstack@n-api.service' }), 'nova-api')
  assert.equal(nameOf('/usr/bin/python3 x', { ...python, unit: 'devstack@keystone.service' }), 'keystone')
  assert.equal(nameOf('/usr/bin/python3 x', { ...python, unit: 'neutron-server.service' }), 'neutron-server')
})
