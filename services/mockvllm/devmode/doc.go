// Package devmode is the routes of VLLM_SERVER_DEV_MODE: caches, sleep, pauses and weights.
package devmode
