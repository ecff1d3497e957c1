// Package content reads what the messages of a conversation hold, as vLLM's chat_utils does before a template sees them: contents
// in parts, media in these, and calls of tools.
package content
