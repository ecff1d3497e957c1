// Package openai holds the error envelope of the OpenAI API, in which the gateway and the supervisor speak of every failure.
package openai
