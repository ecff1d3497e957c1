package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// request is as much of a request as the answer depends on.
type request struct {
	path   string // with its query
	stream bool
	last   bool // the client will close the connection
}

const maxBody = 1 << 20

var wantsStream = regexp.MustCompile(`"stream"\s*:\s*true`)

// readRequest reads one request. Its body goes to *body, which is used again for the next one.
func readRequest(in *bufio.Reader, body *[]byte) (request, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return request{}, err
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	path, version, _ := bytes.Cut(rest, []byte(" "))
	req := request{path: string(path), last: bytes.HasPrefix(version, []byte("HTTP/1.0"))}
	length, chunked := 0, false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return request{}, err
		}
		name, value, found := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		if !found {
			break
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 || length > maxBody {
				return request{}, fmt.Errorf("content length %q", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")):
			req.last = bytes.EqualFold(value, []byte("close"))
		}
	}
	*body = (*body)[:0]
	if chunked {
		err = readChunks(in, body)
	} else {
		err = readMore(in, body, length)
	}
	req.stream = wantsStream.Match(*body)
	return req, err
}

// readMore appends n bytes.
func readMore(in *bufio.Reader, body *[]byte, n int) error {
	have := len(*body)
	if have+n > maxBody {
		return errors.New("body too large")
	}
	*body = append(*body, make([]byte, n)...)
	_, err := io.ReadFull(in, (*body)[have:])
	return err
}

func readChunks(in *bufio.Reader, body *[]byte) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 20)
		if err != nil {
			return fmt.Errorf("chunk size: %w", err)
		}
		if err := readMore(in, body, int(size)); err != nil {
			return err
		}
		if _, err := in.Discard(2); err != nil || size == 0 {
			return err
		}
	}
}

// answer is a whole answer.
func answer(status int, contentType string, body []byte) []byte {
	head := fmt.Appendf(nil, "HTTP/1.1 %d Bench\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", status, contentType, len(body))
	return append(head, body...)
}

func chunk(data string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(data), data) }

func delta(content, finish string) []byte {
	return chunk(fmt.Sprintf(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"bench",`+
		`"choices":[{"index":0,"delta":{%s},"logprobs":null,"finish_reason":%s}]}`+"\n\n", content, finish))
}

var (
	plain      = answer(200, "application/json", completion())
	streamHead = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n")
	first      = delta(`"role":"assistant","content":""`, "null")
	token      = delta(`"content":" token"`, "null")
	last       = delta(`"content":""`, `"stop"`)
	streamEnd  = append(chunk("data: [DONE]\n\n"), "0\r\n\r\n"...)
)

func event(i int) []byte {
	switch i {
	case 0:
		return first
	case Events - 1:
		return last
	}
	return token
}

// completion is a chat completion of 1 KB.
func completion() []byte {
	const size = 1024
	const form = `{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench","choices":[{"index":0,"message":` +
		`{"role":"assistant","content":"%s","refusal":null,"tool_calls":[]},"logprobs":null,"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":16,"total_tokens":80,"completion_tokens":64}}`
	return fmt.Appendf(nil, form, strings.Repeat("word ", size/5)[:size-len(form)+len("%s")])
}
