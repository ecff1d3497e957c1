// Package lora keeps the LoRA adapters of a server: those of --lora-modules, and those that clients load and unload.
//
// A mock has no weights, so an adapter is there when vLLM would find one: a folder with an adapter_config.json, the name
// of a repository on the Hugging Face hub (org/name), or a path that --lora-modules names, whether it exists or not.
package lora
