import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRouteTemplates } from '../../src/protocols/learned-route-templates.js'
import { classifySegment, redactPath } from '../../src/protocols/path-segments.js'

const UUID = '6f70656e-7374-4163-8b2d-0123456789ab'
const template = (path: string): string => createRouteTemplates().template(path)

test('ids become {id} at first sight, names and versions stay', () => {
  for (const [path, expected] of [
    ['', ''],
    ['/', '/'],
    ['/items', '/items'],
    ['/items/', '/items/'],
    ['/items/42', '/items/{id}'],
    ['/items/42/', '/items/{id}/'],
    ['/items/42.json', '/items/{id}.json'],
    ['/items/-1', '/items/{id}'],
    [`/users/${UUID}/orders`, '/users/{id}/orders'],
    [`/users/${UUID.toUpperCase()}`, '/users/{id}'],
    [`/projects/${UUID.replaceAll('-', '')}`, '/projects/{id}'],
    ['/commits/1f3870be274f6c49b3e31a0c6728957f6b1a2c3d', '/commits/{id}'],
    ['/o/a1b2c3d4', '/o/{id}'],
    ['/days/2026-01-31', '/days/{id}'],
    ['/hosts/10.0.0.17', '/hosts/{id}'],
    ['/mail/bob@example.org', '/mail/{id}'],
    ['/x/hello%20world', '/x/{id}'],
    ['/static/main.3f2a9c1d.js', '/static/main.{id}.js'],
    ['/v1/things/7:cancel', '/v1/things/{id}:cancel'],
    ['/app;jsessionid=ABC/cart', '/app/cart'],
    ['/api/v1beta1/namespaces', '/api/v1beta1/namespaces'],
    ['/api/1.0/status', '/api/1.0/status'],
    ['/index.html', '/index.html'],
    ['/oauth2/token', '/oauth2/token'],
    ['/reset/Zm9vYmFyQmF6MTIzNDU2Nzg5MA', '/reset/{id}'],
    [`/blobs/sha256:${'0123456789abcdef'.repeat(4)}`, '/blobs/sha256:{id}'],
    ['//double', '//double'],
  ] as const) {
    assert.equal(template(path), expected, path)
  }
})

test('routes of OpenStack services keep their names', () => {
  const routes = createRouteTemplates()
  const id = UUID
  const project = UUID.replaceAll('-', '')
  for (const [path, expected] of [
    [`/v2.1/servers/${id}/action`, '/v2.1/servers/{id}/action'],
    ['/v2.1/servers/detail', '/v2.1/servers/detail'],
    [`/v2.1/${project}/servers/${id}/os-interface`, '/v2.1/{id}/servers/{id}/os-interface'],
    [`/v3/${project}/volumes/${id}`, '/v3/{id}/volumes/{id}'],
    [`/v2/images/${id}/file`, '/v2/images/{id}/file'],
    [`/v2.0/security-groups/${id}`, '/v2.0/security-groups/{id}'],
    ['/v3/auth/tokens', '/v3/auth/tokens'],
    ['/v3/OS-FEDERATION/projects', '/v3/OS-FEDERATION/projects'],
    [`/resource_providers/${id}/inventories`, '/resource_providers/{id}/inventories'],
    ['/allocation_candidates', '/allocation_candidates'],
    [`/v1/AUTH_${project}/container`, '/v1/{id}/container'],
    [`/v2.1/os-aggregates/3/action`, '/v2.1/os-aggregates/{id}/action'],
    ['/identity/v3/auth/tokens', '/identity/v3/auth/tokens'],
  ] as const) {
    assert.equal(routes.template(path), expected, path)
  }
})

const word = (n: number): string =>
  [...n.toString(26)].map(digit => String.fromCharCode(0x61 + Number.parseInt(digit, 26))).join('') + 'name'

test('a position behind a name with more than twenty values becomes a parameter', () => {
  const routes = createRouteTemplates()
  for (let n = 0; n < 20; n++) assert.equal(routes.template(`/users/${word(n)}`), `/users/${word(n)}`)
  assert.equal(routes.template(`/users/${word(20)}`), '/users/{param}')
  assert.equal(routes.template(`/users/${word(3)}`), '/users/{param}')
  assert.equal(routes.template(`/users/${word(3)}/orders/17`), '/users/{param}/orders/{id}')
  assert.equal(routes.template('/users/7'), '/users/{id}')
})

test('a value that has much of the traffic keeps its name when its position becomes a parameter', () => {
  const routes = createRouteTemplates()
  for (let n = 0; n < 60; n++) {
    routes.template('/users/me')
    routes.template(`/users/${word(n % 30)}`)
  }
  assert.equal(routes.template('/users/me'), '/users/me')
  assert.equal(routes.template(`/users/${word(1)}`), '/users/{param}')
})

test('an API may have a hundred names behind its version, and behind an id', () => {
  const routes = createRouteTemplates()
  for (let n = 0; n < 100; n++) routes.template(`/v2.1/${word(n)}/${n}/${word(n)}`)
  assert.equal(routes.template(`/v2.1/${word(5)}/5/${word(5)}`), `/v2.1/${word(5)}/{id}/${word(5)}`)
  for (let n = 0; n < 201; n++) routes.template(`/v2.1/${word(n)}`)
  assert.equal(routes.template(`/v2.1/${word(300)}`), '/v2.1/{param}')
})

test('the same paths in the same order give the same templates', () => {
  const paths = Array.from({ length: 500 }, (_, n) => `/a/${word((n * 7) % 40)}/${n % 3}/${word(n % 25)}`)
  const run = (): string[] => {
    const routes = createRouteTemplates()
    return paths.map(path => routes.template(path))
  }
  assert.deepEqual(run(), run())
})

test('whatever the paths, their templates are bounded in number and length', () => {
  const routes = createRouteTemplates({ nodeLimit: 500 })
  const seen = new Set<string>()
  for (let n = 0; n < 50_000; n++) {
    seen.add(routes.template(`/${word(n)}/${word(n * 31)}/${word(n * 17)}.${word(n)}`))
  }
  assert.ok(seen.size <= 1000, `${seen.size} templates`)
  assert.ok(routes.template('/x'.repeat(5000)).length < 2000)
  assert.ok(routes.template(`/${'x'.repeat(100_000)}`).length < 2000)
})

test('what may grant access is taken out of a path, what names a thing stays', () => {
  for (const [path, expected] of [
    [`/items/${UUID}`, `/items/${UUID}`],
    [`/p/${UUID.replaceAll('-', '')}`, `/p/${UUID.replaceAll('-', '')}`],
    ['/reset/Zm9vYmFyQmF6MTIzNDU2Nzg5MA/done', '/reset/REDACTED/done'],
    ['/a/gAAAAABkxyz0123456789abcdefABCDEF-_', '/a/REDACTED'],
    [`/s/${'0123456789abcdef'.repeat(4)}`, '/s/REDACTED'],
    ['/app;jsessionid=1A2B/x;y=1', '/app/x'],
    ['/a/b', '/a/b'],
    ['/this-is-a-long-name-of-something-harmless', '/this-is-a-long-name-of-something-harmless'],
  ] as const) {
    assert.equal(redactPath(path), expected, path)
  }
})

test('segments are told apart by what they look like', () => {
  for (const [segment, kind] of [
    ['servers', 'word'],
    ['os-security-groups', 'word'],
    ['OS-EP-FILTER', 'word'],
    ['oauth2', 'word'],
    ['deadbeef', 'word'],
    ['v2.1', 'version'],
    ['V3', 'version'],
    ['1.0', 'version'],
    ['7', 'id'],
    ['0f1e2d3c', 'id'],
    ['order-2026-000017', 'id'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'secret'],
  ] as const) {
    assert.equal(classifySegment(segment), kind, segment)
  }
})
