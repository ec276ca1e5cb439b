/** The package's version, for `CLIENT SETINFO`. A test compares it with package.json. */
export const VERSION = "0.1.0"
