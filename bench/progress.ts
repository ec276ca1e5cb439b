// Says on stderr how far a run is: one line that changes on a terminal, a line for each workload elsewhere.
import type { Report } from "./run.ts"

export interface Progress {
  readonly report: Report
  clear(): void
}

export function progressOn(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? changingLine(stream) : plainLines(stream)
}

function changingLine(stream: NodeJS.WriteStream): Progress {
  const rewrite = (text: string): void =>
    void stream.write(`\r\x1b[K${text.slice(0, (stream.columns || 80) - 1)}`)
  return {
    report: (done, total, doing) => rewrite(`${percent(done, total)} ${doing}`),
    clear: () => rewrite(""),
  }
}

function plainLines(stream: NodeJS.WriteStream): Progress {
  let shown = ""
  return {
    report: (done, total, doing) => {
      const workload = doing.split(" ", 1)[0]!
      if (workload === shown) return
      shown = workload
      stream.write(`${percent(done, total)} ${workload}\n`)
    },
    clear: () => {},
  }
}

function percent(done: number, total: number): string {
  return `${Math.floor((100 * done) / total)
    .toString()
    .padStart(3)}%`
}
