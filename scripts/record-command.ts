/**
 * Records `docs/redix-command.svg`: runs the command line tool in a shell in a pseudo-terminal, against a server of its own,
 * types what a person would type, and draws each screen that comes of it. `docs/redix-command.md` shows it.
 *
 * `npm run record` does it.
 */
import { symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/cleanup.ts"
import { RedisServer } from "../support/server.ts"
import { key, type Piece, program, Terminal } from "../support/terminal.ts"

const COLUMNS = 96
const ROWS = 28
const CELL = { width: 8.4, height: 18 }
const PADDING = 14
const TYPING_MS = 55

/** Of the eight colours of terminals, on a dark ground. */
const COLOURS = ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"]

interface Frame {
  readonly rows: readonly Piece[][]
  readonly cursor: { readonly row: number; readonly column: number }
  /** How long it is to be seen. */
  ms: number
}

const frames: Frame[] = []

await using server = await start()
// So that the session begins as one would begin it.
const folder = temporaryFolder("record")
symlinkSync(program, join(folder, "redix"))
await using terminal = new Terminal([], {
  command: "exec sh -i",
  columns: COLUMNS,
  rows: ROWS,
  env: { PS1: "$ ", PATH: `${folder}:${process.env["PATH"]}`, REDIS_URL: server.url },
})
await terminal.shows(/\$$/)
const prompt = () => terminal.lastLine.endsWith(">")
const shell = () => terminal.lastLine.trim() === "$"

await type("redix")
await enter(prompt, 700)
await type("HSET user:1 name 'Ada Lovelace' born 1815")
await enter(prompt)
await type("hgeta")
await press(key.tab, 500)
await type("user:1")
await enter(prompt, 1200)
await type('SET greeting "grüße\\x00" ', 500)
await type("EX ", 700)
await type("60", 700)
await enter(prompt)
await type("GET greeting")
await enter(prompt, 1000)
await type("INCR greeting")
await enter(prompt, 1000)
await type(":pipeline")
await enter(prompt, 500)
await type("INCR visits")
await enter(prompt)
await type("ZADD board 9.5 ada 7 grace")
await enter(prompt)
await type("ZRANGE board 0 -1 WITHSCORES")
await enter(prompt)
await type(":send")
await enter(prompt, 2000)
await press(key.ctrlD, 500)
await type("redix doctor")
await enter(shell, 3500)
await type("redix bench --requests 60000 GET __key__")
await enter(shell, 5000)

const file = fileURLToPath(new URL("../docs/redix-command.svg", import.meta.url))
writeFileSync(file, draw(frames))
console.log(`${file}: ${frames.length} screens`)

/** At the usual port if that is free. */
async function start(): Promise<RedisServer> {
  return RedisServer.start({ port: 6379 }).catch(() => RedisServer.start())
}

async function type(text: string, pause = 0): Promise<void> {
  for (const character of text) await press(character, TYPING_MS)
  hold(pause)
}

/** Ends the line, and records what comes until the screen is as it should be. */
async function enter(isDone: () => boolean, pause = 400): Promise<void> {
  const before = terminal.text
  terminal.type(key.enter)
  for (;;) {
    await sleep(80)
    record(80)
    if (terminal.text !== before && isDone()) break
  }
  hold(pause)
}

async function press(text: string, ms: number): Promise<void> {
  const before = terminal.output.length
  terminal.type(text)
  while (terminal.output.length === before) await sleep(2)
  // The echo, and the hint after it.
  await sleep(12)
  record(ms)
}

function record(ms: number): void {
  const { rows, cursor } = terminal
  const last = frames.at(-1)
  const same = last && JSON.stringify([last.rows, last.cursor]) === JSON.stringify([rows, cursor])
  if (same) last.ms += ms
  else frames.push({ rows, cursor, ms })
}

function hold(ms: number): void {
  const last = frames.at(-1)
  if (last) last.ms += ms
}

/** Screens side by side, of which one at a time is to be seen; without animation it is the last one. */
function draw(all: readonly Frame[]): string {
  const width = Math.ceil(COLUMNS * CELL.width) + 2 * PADDING
  const height = ROWS * CELL.height + 2 * PADDING + 24
  const total = all.reduce((sum, { ms }) => sum + ms, 0)
  let passed = 0
  const steps = all.map(({ ms }, index) => {
    const at = `${((100 * passed) / total).toFixed(3)}%`
    passed += ms
    return `${at}{transform:translateX(${-index * width}px)}`
  })
  const end = -(all.length - 1) * width
  const rows = sharedRows(all)
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xml:space="preserve" role="img" aria-label="A session with redix in a terminal">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}
.b{font-weight:700}.d{opacity:.55}
${COLOURS.map((colour, index) => `.c${index}{fill:${colour}}`).join("")}
.film{transform:translateX(${end}px);animation:play ${(total / 1000).toFixed(1)}s step-end infinite}
@keyframes play{${steps.join("")}100%{transform:translateX(${end}px)}}
@media (prefers-reduced-motion:reduce){.film{animation:none}}
</style>
<defs>
${[...rows.values()].map(({ id, markup }) => `<g id="${id}">${markup}</g>`).join("\n")}
</defs>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="18" cy="16" r="5" fill="#ff5f56"/><circle cx="36" cy="16" r="5" fill="#ffbd2e"/><circle cx="54" cy="16" r="5" fill="#27c93f"/>
<svg x="${PADDING}" y="${PADDING + 18}" width="${width - 2 * PADDING}" height="${ROWS * CELL.height}"><g class="film">
${all.map((frame, index) => drawFrame(frame, index * width, rows)).join("\n")}
</g></svg>
</svg>
`
}

type Rows = ReadonlyMap<string, { readonly id: string; readonly markup: string }>

/** Most rows are on many screens: each is drawn once. */
function sharedRows(all: readonly Frame[]): Rows {
  const rows = new Map<string, { id: string; markup: string }>()
  for (const pieces of all.flatMap((frame) => frame.rows)) {
    const markup = pieces.map(drawPiece).join("")
    if (markup !== "" && !rows.has(markup)) rows.set(markup, { id: `r${rows.size}`, markup })
  }
  return rows
}

function drawFrame({ rows, cursor }: Frame, x: number, shared: Rows): string {
  const uses = rows.flatMap((pieces, row) => {
    const id = shared.get(pieces.map(drawPiece).join(""))?.id
    return id === undefined ? [] : [`<use xlink:href="#${id}" y="${row * CELL.height}"/>`]
  })
  const at = `x="${(cursor.column * CELL.width).toFixed(1)}" y="${cursor.row * CELL.height + 2}"`
  const block = `<rect ${at} width="${CELL.width}" height="${CELL.height - 2}" fill="#e6edf3" opacity=".5"/>`
  return `<g transform="translate(${x} 0)">${uses.join("")}${block}</g>`
}

function drawPiece({ column, text, colour, bold, dim }: Piece): string {
  const classes = [colour === undefined ? "" : `c${colour % 8}`, bold ? "b" : "", dim ? "d" : ""]
  const list = classes.filter((name) => name !== "").join(" ")
  const shown = text.trim()
  const first = column + text.length - text.trimStart().length
  // Whatever the font: each character has its column.
  const place = `x="${(first * CELL.width).toFixed(1)}" y="14" textLength="${(shown.length * CELL.width).toFixed(1)}"`
  return `<text ${place}${list === "" ? "" : ` class="${list}"`}>${escaped(shown)}</text>`
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}
