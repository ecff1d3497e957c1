package unit

// Kinds is how many kinds of event there are.
const Kinds = kinds
