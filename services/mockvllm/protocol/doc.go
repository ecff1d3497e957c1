// Package protocol holds what all interfaces of vLLM 0.32 share on the wire: errors in both families, ids, the head and the
// token counts of answers, and JSON as pydantic writes it. Its sub-packages are one interface each: they read and check
// requests in vLLM's order and words, and write answers with its keys in its order.
//
//	request/      what chat and text completions share
//	chat/         /v1/chat/completions
//	completion/   /v1/completions
//	generate/, render/, derender/
//	              what --enable-scale-out turns on
//	scoring/      /generative_scoring
package protocol
