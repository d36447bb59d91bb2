import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amqp } from '../../src/protocols/amqp/index.js'
import { http } from '../../src/protocols/http/index.js'
import { createRouteTemplates } from '../../src/protocols/learned-route-templates.js'
import { createOpenstackRoutes } from '../../src/protocols/openstack/openstack-routes.js'
import { operationIn, topicOf } from '../../src/protocols/oslo/operation.js'
import { content, deliverMethod, join, publishMethod } from './amqp-frames.js'
import { client, drive, server } from './harness.js'

const ID = '6f70656e-7374-4163-8b2d-0123456789ab'
const HEX = ID.replaceAll('-', '')
const routesAt = (port: number) => createOpenstackRoutes(port, createRouteTemplates())

test('routes are written as in the API reference, by the port of the service', () => {
  for (const [port, path, route] of [
    [8774, `/v2.1/servers/${ID}`, '/v2.1/servers/{server_id}'],
    [8774, '/v2.1/servers/detail', '/v2.1/servers/detail'],
    [8774, `/v2.1/servers/${ID}/os-interface/${ID}`, '/v2.1/servers/{server_id}/os-interface/{port_id}'],
    [8774, '/v2.1/flavors/1/os-extra_specs', '/v2.1/flavors/{flavor_id}/os-extra_specs'],
    [8774, `/v2.1/${HEX}/servers/${ID}/action`, '/v2.1/{project_id}/servers/{server_id}/action'],
    [8774, '/v2.1/', '/v2.1'],
    [5000, '/v3/auth/tokens', '/v3/auth/tokens'],
    [
      5000,
      `/v3/projects/${HEX}/users/${HEX}/roles/${HEX}`,
      '/v3/projects/{project_id}/users/{user_id}/roles/{role_id}',
    ],
    [5000, '/v3', '/v3'],
    [9292, `/v2/images/${ID}/file`, '/v2/images/{image_id}/file'],
    [9696, '/v2.0/quotas/default', '/v2.0/quotas/{project_id}'],
    [9696, `/v2.0/ports/${ID}/bindings/node-7/activate`, '/v2.0/ports/{port_id}/bindings/{host}/activate'],
    [8778, `/resource_providers/${ID}/inventories/VCPU`, '/resource_providers/{uuid}/inventories/{resource_class}'],
    [8778, `/allocations/${ID}`, '/allocations/{consumer_uuid}'],
    [8776, `/v3/${HEX}/volumes/${ID}/action`, '/v3/{project_id}/volumes/{volume_id}/action'],
  ] as const) {
    assert.equal(routesAt(port).template(path), route, path)
  }
})

test('elsewhere a path that only one API has tells which it is, and a mount stays in front', () => {
  const routes = routesAt(18_080)
  assert.equal(routes.template('/v3/groups/admins'), '/v3/groups/admins')
  assert.equal(routes.template('/v3/auth/tokens'), '/v3/auth/tokens')
  assert.equal(routes.template('/v3/groups/admins'), '/v3/groups/{group_id}')
  assert.equal(routesAt(80).template(`/compute/v2.1/servers/${ID}`), '/compute/v2.1/servers/{server_id}')
  assert.equal(routesAt(80).template(`/placement/allocations/${ID}`), '/placement/allocations/{consumer_uuid}')
})

test('what no table knows has a learned template, and other services keep theirs', () => {
  assert.equal(routesAt(8774).template('/v2.1/new-thing/42'), '/v2.1/new-thing/{id}')
  assert.equal(routesAt(80).template('/items/42'), '/items/{id}')
  assert.equal(routesAt(80).template('/images/logo.png'), '/images/logo.png')
  assert.equal(routesAt(80).template('/v2/'), '/v2/')
})

test('an action is named by the first key of its body, also when that comes in a second call', () => {
  const head = (length: number): string =>
    `POST /v2.1/servers/${ID}/action HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`
  const names = (body: string, split: boolean): string[] => {
    const request = split ? [client(head(body.length)), client(body)] : [client(head(body.length) + body)]
    const { observations } = drive(http, [...request, server('HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n')], {
      routes: routesAt(8774),
    })
    return observations.map(({ exchange }) => exchange.name)
  }
  const plain = 'POST /v2.1/servers/{server_id}/action'
  for (const split of [true, false]) {
    assert.deepEqual(names('{"reboot": {"type": "SOFT"}}', split), [`${plain} reboot`])
    assert.deepEqual(names('{ "os-start" : null}', split), [`${plain} os-start`])
    assert.deepEqual(names('{"a secret value": 1}', split), [plain])
    assert.deepEqual(names('[1]', split), [plain])
    assert.deepEqual(names(`{"${'x'.repeat(100)}": 1}`, split), [plain])
  }
})

const envelope = (message: object): string =>
  JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })

test('a remote call is named by topic and method at both ends, a notification by its event', () => {
  const call = envelope({ method: 'build_and_run_instance', args: { method: 'not_this' }, _unique_id: 'd'.repeat(32) })
  const event = envelope({
    message_id: ID,
    publisher_id: 'compute.node-7',
    event_type: 'compute.instance.create.end',
    payload: { event_type: 'not.this' },
  })
  const { observations } = drive(
    amqp,
    [
      client(join(publishMethod(1, 'nova', 'compute.node-7'), content(1, call))),
      server(join(deliverMethod(1, 'tag', 1, 'nova', 'compute.node-7'), content(1, call))),
      client(join(publishMethod(1, 'nova', 'notifications.info'), content(1, event))),
    ],
    { joined: true, head: 4096, tail: 4096, open: true },
  )
  assert.deepEqual(
    observations.map(({ exchange }) => [exchange.name, exchange.attributes['rpc.method']]),
    [
      ['compute.build_and_run_instance', 'build_and_run_instance'],
      ['compute.build_and_run_instance', 'build_and_run_instance'],
      ['send compute.instance.create.end', undefined],
    ],
  )
})

test('an answer has no operation, a method that is none no name', () => {
  for (const message of [
    { result: { method: 'x' }, failure: null, ending: true, _msg_id: 'a'.repeat(32) },
    { method: 'with blanks', _unique_id: 'b'.repeat(32) },
    { args: { event: 1 }, method: 'late' },
  ]) {
    const bytes = Buffer.from(envelope(message))
    assert.equal(operationIn(bytes, 0, bytes.length)?.kind === 'call', false, JSON.stringify(message))
  }
})

test('a topic is what stands before the server, fanouts without their suffix', () => {
  assert.equal(topicOf('nova', 'conductor'), 'conductor')
  assert.equal(topicOf('nova', 'compute.node-7.example.org'), 'compute')
  assert.equal(topicOf('scheduler_fanout', ''), 'scheduler')
  assert.equal(topicOf('neutron', 'q-agent-notifier-port-update_fanout'), 'q-agent-notifier-port-update')
  assert.equal(topicOf('neutron', 'neutron-vo-Port-1.1'), 'neutron-vo-Port-1.1')
})
