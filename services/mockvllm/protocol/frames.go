package protocol

// Frames writes a streamed answer, as one API frames it. Each frame goes to the function that the writer was made with;
// its bytes are valid until the next one.
type Frames interface {
	// Open begins the choices, once the first token is there.
	Open(choices int, prompt int)
	// Token brings one token of a choice.
	Token(choice int, w Work, token int)
	// Finish brings the last of a choice: its last token too, when all were delivered.
	Finish(choice int, w Work, delivered int)
	// Close ends the stream.
	Close(u Usage)
}
