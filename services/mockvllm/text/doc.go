// Package text knows what the mock says of its own: the guide answer, which tools a question asks for, and what is said to
// the results of tools. Its sub-packages know the forms that texts can have.
package text
