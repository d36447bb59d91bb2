import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskCommandLine, maskProcess } from '../../src/redaction/process-mask.js'
import { createServiceNames } from '../../src/samples/service-names.js'

const SHOWN = [
  'nginx -c /etc/nginx/nginx.conf',
  '/usr/bin/python3 /usr/bin/gunicorn --workers 2 --threads 8 -b 127.0.0.1:8000 web:app',
  'gunicorn web:app --name shop --port 80 -p8080',
  '/usr/sbin/mariadbd --defaults-file=/tmp/etc/my.cnf --port=3306',
  'node --import tsx server.mjs --listen 0.0.0.0:80',
  'java -cp a.jar:b.jar -Xmx512m org.example.Main',
]

test('what says nothing secret stays as it is', () => {
  for (const line of SHOWN) assert.equal(maskCommandLine(line.split(' ')).join(' '), line)
})

const MASKED: [string[], string[]][] = [
  [
    ['x', '--db-password=abc', '--token', 'abc', 'y'],
    ['x', '--db-password=xxx', '--token', 'xxx', 'y'],
  ],
  [
    ['mysqld_exporter', '-pabc', '-p8080', 'password=abc'],
    ['mysqld_exporter', '-pxxx', '-p8080', 'password=xxx'],
  ],
  [
    ['w', 'amqp://guest:abc@h:5672/v?heartbeat=1'],
    ['w', 'amqp://xxxxxxxxx@h:5672/v?xxxxxxxxx=x'],
  ],
  [
    ['w', '--url=https://u:p@h/a', 'API_KEY=abc'],
    ['w', '--url=https://xxx@h/a', 'API_KEY=xxx'],
  ],
  [
    ['w', 'glpat-a1B2c3D4e5F6g7H8', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['w', 'x'.repeat(22), 'x'.repeat(32)],
  ],
  [
    ['curl', '-s', '-H', 'X-Mine: abc', '-dbody', '--data=abc', '-u', 'me:abc', 'http://h/a?q=1'],
    ['curl', '-s', '-H', 'xxxxxxxxxxx', '-dxxxx', '--data=xxx', '-u', 'xxxxxx', 'http://h/a?x=x'],
  ],
  [
    ['/usr/bin/redis-cli', '-p', '6379', 'SET', 'key', 'value'],
    ['/usr/bin/redis-cli', '-p', 'xxxx', 'xxx', 'xxx', 'xxxxx'],
  ],
  [
    ['bash', '-c', 'curl -H "Authorization: abc" h'],
    ['bash', '-c', 'x'.repeat(30)],
  ],
  [
    ['python3', '-c', 'import abc', 'y'],
    ['python3', '-c', 'xxxxxxxxxx', 'y'],
  ],
]

for (const [words, expected] of MASKED) {
  test(`${words.join(' ')}: what is secret goes`, () => assert.deepEqual(maskCommandLine(words), expected))
}

test('a service is called the same, and nothing that is not known is carried over', () => {
  const info = {
    pid: 1,
    parent: 0,
    startNs: 2,
    comm: 'python3',
    exe: '/usr/bin/python3.11',
    commandLine: ['python3', '-m', 'celery', '-A', 'shop.tasks', 'worker', '--broker', 'amqp://u:p@h'],
    user: 0,
    cgroup: '/',
    listens: [80],
    environment: ['SECRET=abc'],
  }
  const masked = maskProcess(info)
  const names = createServiceNames()
  const process = { pid: 1, comm: 'python3', generation: 1, endedNs: undefined }
  assert.equal(names.nameOf({ ...process, info: masked }, 0), names.nameOf({ ...process, info }, 0))
  assert.doesNotMatch(JSON.stringify(masked), /abc|u:p|environment/)
  assert.ok(JSON.stringify(masked).length <= JSON.stringify(info).length)
})
