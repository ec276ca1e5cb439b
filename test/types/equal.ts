/** What the type tests say things with. */

/** Whether both types are the same, unions, `any` and modifiers included. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only where both types are the same. */
export function same<A, B>(_proof: Equal<A, B>): void {}
