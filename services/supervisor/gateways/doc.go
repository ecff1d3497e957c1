// Package gateways is what gateways are told and what they say. The feed sends them the fleet; their heartbeats tell which
// revision of it they go by, what they have in flight and which models are asked for. A drain waits for them.
package gateways
