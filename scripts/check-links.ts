/** The links between the pages of this project: each names a file that is there, and a heading that is in it. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

const problems = pages().flatMap(deadLinks)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function pages(): string[] {
  return [".", "docs", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith(".md"))
      .map((file) => join(folder, file)),
  )
}

function deadLinks(page: string): string[] {
  return linksOf(page).flatMap((link) => {
    const [path = "", heading] = link.split("#")
    const target = path === "" ? page : normalize(join(dirname(page), path))
    if (!existsSync(join(root, target))) return `${page}: no such file: ${link}`
    if (heading !== undefined && !headingsOf(target).has(heading)) return `${page}: no such heading: ${link}`
    return []
  })
}

/** Those without a scheme, which lie in this project. */
function linksOf(page: string): string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link)
  return links.filter((link) => !/^[a-z]+:/i.test(link))
}

/** The anchors of a page's headings, as code hosts make them. */
function headingsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, title = ""] of prose(page).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-")
    let unique = anchor
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`
    anchors.add(unique)
  }
  return anchors
}

/** A page without its code blocks. */
function prose(page: string): string {
  return readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```$/gm, "")
}
