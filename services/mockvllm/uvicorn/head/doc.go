// Package head writes the heads of answers as uvicorn does under vLLM: names in lower case, in the order in which vLLM's layers add
// them, and the reason phrases of Python.
package head
