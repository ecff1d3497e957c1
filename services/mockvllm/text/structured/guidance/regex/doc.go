// Package regex tells what is wrong with a regular expression in the words of Rust's regex-syntax, which llguidance quotes.
package regex
