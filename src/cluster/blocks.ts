/** Transactions within a pipeline, sent as they stand from MULTI to EXEC: such a block goes to one node, as one. */

import { commandInfo } from "../protocol/command-info.ts"

/** The places of MULTI and of its EXEC. */
export interface Block {
  readonly first: number
  readonly last: number
}

export const NO_BLOCKS: readonly Block[] = []

/** The blocks of a pipeline, of which it is known that each MULTI has its EXEC. */
export function blocksOf(commands: ReadonlyArray<readonly unknown[]>): Block[] {
  const blocks: Block[] = []
  let first = -1
  for (const [place, command] of commands.entries()) {
    const { name } = commandInfo(command[0])
    if (name === "MULTI") first = place
    else if (name === "EXEC") blocks.push({ first, last: place })
  }
  return blocks
}
