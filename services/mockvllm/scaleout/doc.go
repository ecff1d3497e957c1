// Package scaleout is what --enable-scale-out turns on: requests become requests for tokens, and tokens become answers.
package scaleout
