// Package anthropic holds the error envelope of Anthropic's Messages API, in which the gateway speaks of failures to
// clients of that API.
package anthropic
