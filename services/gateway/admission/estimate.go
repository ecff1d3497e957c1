package admission

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// bytesPerToken is OpenAI's rule of thumb for English text. JSON around the messages makes up for what other languages need.
	bytesPerToken = 4
	// assumedCompletion stands for a request that does not say how long its answer may be. Real usage settles it.
	assumedCompletion = 256
	// mediaTokens is what models make of a picture of usual size.
	mediaTokens = 1024
	// maxEstimate keeps sums far from overflowing.
	maxEstimate = 1 << 40
)

// EstimateTokens says how many tokens a request may use before anybody has counted them. promptBytes is the length of the
// prompt or, cheaper, of the whole body, without the pictures and recordings in it; media is how many of these there are; maxTokens is
// max_completion_tokens or max_tokens, 0 when neither is given; n is how many answers are asked for.
func EstimateTokens(promptBytes, media, maxTokens, n int) int {
	if maxTokens <= 0 {
		maxTokens = assumedCompletion
	}
	prompt := min(max(promptBytes, 0), maxEstimate)/bytesPerToken + media*mediaTokens + 1
	return prompt + min(maxTokens, maxEstimate/1024)*min(max(n, 1), 1024)
}

// Priority is that of a request whose key has one and that may ask for another by a header, "" for none. A request can put
// itself behind the others of its key, not before them.
func Priority(ofKey int, header string) (int, error) {
	header = strings.TrimSpace(header)
	if header == "" {
		return ofKey, nil
	}
	asked, err := strconv.Atoi(header)
	if err != nil {
		return ofKey, fmt.Errorf("priority %.20q is not a whole number; higher ones go first", header)
	}
	return min(asked, ofKey), nil
}
