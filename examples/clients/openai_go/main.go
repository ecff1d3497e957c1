// The command openai_go shows OpenAI's package for Go, pointed at FluidMCP: chat, stream, tools and errors.
//
// usage: openai_go [BASE_URL]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// The models of ../models.json.
const (
	model   = "mock-llm"
	slow    = "mock-gpt"
	limited = "mock-llama"
)

func main() {
	baseURL := "http://localhost:8099"
	if len(os.Args) > 1 {
		baseURL = os.Args[1]
	}
	// The package wants some key. Retries are its own business; without them the errors below show at once.
	client := openai.NewClient(option.WithBaseURL(baseURL+"/v1"), option.WithAPIKey("unused"), option.WithMaxRetries(0))
	for _, step := range []func(context.Context, openai.Client) error{chat, stream, tools, failures, interruption} {
		if err := step(context.Background(), client); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func ask(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

func chat(ctx context.Context, client openai.Client) error {
	answer, err := client.Chat.Completions.New(ctx, ask(model, "Hello, how are you?"))
	if err != nil {
		return err
	}
	fmt.Println("chat:", answer.Choices[0].Message.Content)
	fmt.Println("tokens:", answer.Usage.PromptTokens, "read,", answer.Usage.CompletionTokens, "written")
	return nil
}

func stream(ctx context.Context, client openai.Client) error {
	chunks := client.Chat.Completions.NewStreaming(ctx, ask(model, "Hello, how are you?"))
	fmt.Print("stream: ")
	for chunks.Next() {
		fmt.Print(chunks.Current().Choices[0].Delta.Content)
	}
	fmt.Println()
	return chunks.Err()
}

// weather is the tool and its result.
type weather struct {
	City string `json:"city"`
	Sky  string `json:"sky"`
}

func tools(ctx context.Context, client openai.Client) error {
	params := ask(model, "What is the weather in Paris?")
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name:        "get_weather",
		Description: openai.String("The weather in a city"),
		Parameters: openai.FunctionParameters{"type": "object", "required": []string{"city"},
			"properties": map[string]any{"city": map[string]string{"type": "string"}}},
	})}
	for {
		answer, err := client.Chat.Completions.New(ctx, params)
		if err != nil {
			return err
		}
		message := answer.Choices[0].Message
		if len(message.ToolCalls) == 0 {
			fmt.Println("answer:", message.Content)
			return nil
		}
		params.Messages = append(params.Messages, message.ToParam())
		for _, call := range message.ToolCalls {
			fmt.Printf("call: %s(%s)\n", call.Function.Name, call.Function.Arguments)
			result := weather{Sky: "clear"}
			if err := json.Unmarshal([]byte(call.Function.Arguments), &result); err != nil {
				return err
			}
			text, err := json.Marshal(result)
			if err != nil {
				return err
			}
			params.Messages = append(params.Messages, openai.ToolMessage(string(text), call.ID))
		}
	}
}

// failures shows that all errors of the API have one type, and what tells them apart.
func failures(ctx context.Context, client openai.Client) error {
	var failure *openai.Error
	_, err := client.Chat.Completions.New(ctx, ask("nobody", "Hello"))
	if !errors.As(err, &failure) || failure.StatusCode != http.StatusNotFound {
		return err
	}
	fmt.Println("unknown model:", failure.Code)

	hot := ask(model, "Hello")
	hot.Temperature = openai.Float(9)
	_, err = client.Chat.Completions.New(ctx, hot)
	if !errors.As(err, &failure) || failure.StatusCode != http.StatusBadRequest {
		return err
	}
	fmt.Println("bad request:", failure.Message)

	for range 3 {
		_, err = client.Chat.Completions.New(ctx, ask(limited, "Hello"))
	}
	if !errors.As(err, &failure) || failure.StatusCode != http.StatusTooManyRequests {
		return err
	}
	fmt.Println("rate limit: wait", failure.Response.Header.Get("Retry-After"), "s")
	return nil
}

// interruption shows that a stream whose server dies ends with an error. It never looks like a short answer.
func interruption(ctx context.Context, client openai.Client) error {
	chunks := client.Chat.Completions.NewStreaming(ctx, ask(slow, "Hello, how are you?"))
	for n := 0; chunks.Next(); n++ {
		if n == 1 {
			fmt.Println("slow stream: it runs, kill the server of", slow, "to see it break")
		}
	}
	if err := chunks.Err(); err != nil {
		fmt.Println("slow stream:", err)
		return nil
	}
	fmt.Println("slow stream: complete")
	return nil
}
