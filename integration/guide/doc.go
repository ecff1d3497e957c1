// Package guide executes the guides of docs/ as a reader would: word by word, from top to bottom, in a fresh copy of the
// repository. What a fenced block is for is said after its language, where a rendered page does not show it:
//
//	```sh                        is typed into the reader's shell and has to succeed; one shell for the whole document
//	```sh background             runs on in a terminal of its own until Ctrl-C at the document's end; a text block has to
//	                             follow, which is awaited: the reader waits for those lines too
//	```sh background=NAME        the same in the terminal NAME; what ran there gets its Ctrl-C first
//	```sh ctrl-c                 the text says to press Ctrl-C in the background's terminal before this; ctrl-c=NAME in NAME
//	```sh needs=docker,internet  only where there is all that; otherwise its syntax is checked and the log names it.
//	                             Needs: docker, internet, python, node, and gpu and time, which no test has
//	```text                      what the block before prints: "..." stands for the rest of what varies in a line, and
//	                             alone in a line for any number of lines; two blanks stand for two or more, and
//	                             0.3 s or 20ms for any time in that unit
//	```text background=NAME      what the terminal NAME goes on to print; it is awaited
//	```json output               the same as text, for the colours; any language
//	```yaml file=models.yaml     the reader's editor saves this file; any language
//	```                          a picture
//
// A block of another kind is an error, so that nothing escapes by accident.
package guide
