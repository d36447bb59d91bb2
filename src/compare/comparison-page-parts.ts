/** Style and script of the comparison's page, which stands alone in one file. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: #8884; --match: #2a8f5b; --torn: #d9822b; --alone: #8a8f98; --bar: #4a7fd6; }
* { box-sizing: border-box }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; font: 13px/1.45 system-ui, sans-serif }
header { padding: 8px 16px 0; border-bottom: 1px solid var(--line) }
h1 { font-size: 16px; margin: 0 0 4px }
pre { margin: 4px 0; max-height: 34vh; overflow: auto; font: 12px/1.4 ui-monospace, monospace }
.controls { display: flex; gap: 20px; align-items: center; margin: 6px 0 }
.legend i { display: inline-block; width: 18px; height: 8px; border-radius: 2px; margin: 0 2px 0 10px }
.legend .match { background: var(--match) } .legend .torn { background: var(--torn) } .legend .alone { background: var(--alone) }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: 1fr 90px 1fr }
section { overflow-y: auto; overflow-x: hidden; position: relative }
svg { width: 90px; height: 100% }
svg path { fill: none; stroke: var(--match); stroke-width: 1; opacity: .55 }
svg path.torn { stroke: var(--torn) }
svg path.chosen { stroke-width: 2.5; opacity: 1 }
.row { display: grid; grid-template-columns: 52% 48%; height: 18px; white-space: nowrap; cursor: default }
.row.chosen { background: #4a7fd633 }
.row .name { overflow: hidden; text-overflow: ellipsis; padding-left: 6px }
.row b { font-weight: 600 }
.row .time { position: relative }
.row .time i { position: absolute; top: 4px; height: 10px; min-width: 2px; border-radius: 2px; background: var(--match) }
.row.torn .time i { background: var(--torn) } .row.alone .time i { background: var(--alone) }
.row.alone { opacity: .75 }
footer { border-top: 1px solid var(--line); padding: 4px 16px; min-height: 28px; overflow-wrap: anywhere }
`

/** Rows are made once and shown or hidden; lines are drawn for what is in view. */
export const PAGE_SCRIPT = `
'use strict'
const data = JSON.parse(document.getElementById('data').textContent)
const HEIGHT = 18
const told = document.getElementById('told')
const lines = document.getElementById('lines')
const end = [...data.left, ...data.right].reduce((latest, row) => Math.max(latest, row.end), 1)
const sides = { left: create('left'), right: create('right') }
const other = { left: 'right', right: 'left' }
let chosen

function create(side) {
  const box = document.getElementById(side)
  const elements = data[side].map((row, index) => {
    const element = document.createElement('div')
    element.className = 'row' + (row.match < 0 ? ' alone' : row.torn ? ' torn' : '')
    const name = document.createElement('div')
    name.className = 'name'
    name.style.paddingLeft = 6 + Math.min(row.depth, 20) * 10 + 'px'
    const service = document.createElement('b')
    service.textContent = row.service + ' '
    name.append(service, row.name)
    const time = document.createElement('div')
    time.className = 'time'
    const bar = document.createElement('i')
    bar.style.left = (row.start / end) * 100 + '%'
    bar.style.width = ((row.end - row.start) / end) * 100 + '%'
    time.append(bar)
    element.append(name, time)
    element.addEventListener('mouseenter', () => tell(side, index))
    element.addEventListener('click', () => choose(side, index))
    box.append(element)
    return element
  })
  box.addEventListener('scroll', () => requestAnimationFrame(draw))
  return { box, elements, shown: [], places: new Map() }
}

function tell(side, index) {
  const row = data[side][index]
  const mate = row.match < 0 ? undefined : data[other[side]][row.match]
  const ms = us => (us / 1000).toFixed(3) + ' ms'
  told.textContent = row.service + ' · ' + row.name + ' · ' + row.note + ' · at ' + ms(row.start) + ', ' + ms(row.end - row.start) +
    (mate === undefined ? '' : ' · the match: ' + mate.name + ', at ' + ms(mate.start) + ', ' + ms(mate.end - mate.start))
}

function choose(side, index) {
  const row = data[side][index]
  for (const { elements } of Object.values(sides)) for (const element of elements) element.classList.remove('chosen')
  chosen = side === 'left' ? index : row.match
  sides[side].elements[index].classList.add('chosen')
  if (row.match >= 0) {
    const far = sides[other[side]]
    far.elements[row.match].classList.add('chosen')
    const offset = sides[side].places.get(index) * HEIGHT - sides[side].box.scrollTop
    far.box.scrollTop = far.places.get(row.match) * HEIGHT - offset
  }
  tell(side, index)
  draw()
}

function filter() {
  const only = document.getElementById('matched-only').checked
  const find = document.getElementById('find').value.toLowerCase()
  for (const [side, state] of Object.entries(sides)) {
    state.places = new Map()
    state.shown = []
    data[side].forEach((row, index) => {
      const visible = (!only || row.match >= 0) && (find === '' || (row.service + ' ' + row.name).toLowerCase().includes(find))
      state.elements[index].style.display = visible ? '' : 'none'
      if (!visible) return
      state.places.set(index, state.shown.length)
      state.shown.push(index)
    })
  }
  draw()
}

function draw() {
  const { left, right } = sides
  const height = left.box.clientHeight
  const paths = []
  for (const index of left.shown) {
    const row = data.left[index]
    const far = row.match < 0 ? undefined : right.places.get(row.match)
    if (far === undefined) continue
    const from = left.places.get(index) * HEIGHT + HEIGHT / 2 - left.box.scrollTop
    const to = far * HEIGHT + HEIGHT / 2 - right.box.scrollTop
    if ((from < 0 && to < 0) || (from > height && to > height)) continue
    const kind = (row.torn ? 'torn ' : '') + (index === chosen ? 'chosen' : '')
    paths.push('<path class="' + kind + '" d="M0 ' + from + 'C45 ' + from + ' 45 ' + to + ' 90 ' + to + '"/>')
  }
  lines.innerHTML = paths.join('')
}

document.getElementById('matched-only').addEventListener('change', filter)
document.getElementById('find').addEventListener('input', filter)
addEventListener('resize', draw)
filter()
`
