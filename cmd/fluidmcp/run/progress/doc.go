// Package progress tells a person at the terminal what happens to the models, as it happens.
package progress
