package kv

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash stands for the tokens of one full block and for all that comes before it.
type Hash [16]byte

// Chain gives the full blocks of a sequence, those of its prompt first. The zero value has none, and gets none.
type Chain struct {
	size   int // tokens of a block
	prompt int // tokens
	last   Hash
	hashes []Hash
	rest   []int32 // tokens of the prompt that fill no block
}

// NewChain hashes the full blocks of a prompt. LoRA adapter and salt keep prompts apart that have the same tokens.
func NewChain(size int, lora, salt string, prompt []int) Chain {
	c := Chain{size: size, prompt: len(prompt), last: begin(lora, salt), hashes: make([]Hash, 0, len(prompt)/size)} // no room, so that copies part
	var room [blockRoom]byte
	for ; len(prompt) >= size; prompt = prompt[size:] {
		content := append(room[:0], c.last[:]...)
		for _, id := range prompt[:size] {
			content = appendID(content, id)
		}
		c.add(content)
	}
	c.rest = make([]int32, len(prompt)) // so that the prompt need not be kept
	for i, id := range prompt {
		c.rest[i] = int32(id) // no vocabulary has more
	}
	return c
}

// unsalted is where most chains begin.
var unsalted = seed("", "")

func begin(lora, salt string) Hash {
	if lora == "" && salt == "" {
		return unsalted
	}
	return seed(lora, salt)
}

func seed(lora, salt string) Hash {
	b := binary.AppendUvarint(nil, uint64(len(lora)))
	sum := sha256.Sum256(append(append(b, lora...), salt...))
	return Hash(sum[:])
}

// Blocks are the full blocks so far, in order.
func (c *Chain) Blocks() []Hash { return c.hashes }

// Extend makes Blocks cover that many blocks. output gives token i after the prompt; without it there are no blocks
// beyond those of the prompt. Copies of a chain that was not extended may be extended apart.
func (c *Chain) Extend(blocks int, output func(i int) int) {
	if c.size == 0 || output == nil {
		return
	}
	var room [blockRoom]byte
	for len(c.hashes) < blocks {
		content := append(room[:0], c.last[:]...)
		from := len(c.hashes) * c.size
		for t := from; t < from+c.size; t++ {
			if t < c.prompt {
				content = appendID(content, int(c.rest[t-c.prompt+len(c.rest)]))
			} else {
				content = appendID(content, output(t-c.prompt))
			}
		}
		c.add(content)
	}
}

// blockRoom is the content of a block of 128 tokens; larger ones are allocated.
const blockRoom = len(Hash{}) + 8*128

func appendID(content []byte, id int) []byte {
	return binary.LittleEndian.AppendUint64(content, uint64(id)) // only equality matters
}

func (c *Chain) add(content []byte) {
	sum := sha256.Sum256(content)
	c.last = Hash(sum[:len(Hash{})])
	c.hashes = append(c.hashes, c.last)
}
