package syntax

// Expr is an expression.
type Expr interface{ expr() }

// Stmt is a statement.
type Stmt interface{ stmt() }

// Const is a bool, an int64, a float64, a string or nil.
type Const struct{ Value any }

// Name is a variable.
type Name string

// Captured is what a filter block has caught.
type Captured struct{}

// List is [a, b], or (a, b).
type List struct {
	Items   []Expr
	IsTuple bool
}

// Dict is {key: value}.
type Dict struct{ Keys, Values []Expr }

// Attr is value.name.
type Attr struct {
	Value Expr
	Name  string
}

// Item is value[key].
type Item struct{ Value, Key Expr }

// Slice is value[start:stop:step]; parts that are not there are nil.
type Slice struct {
	Value Expr
	Parts [3]Expr
}

// Arguments are those of a call: a list, and those with names.
type Arguments struct {
	List  []Expr
	Names []string
	Named []Expr
}

// Call is fn(args).
type Call struct {
	Fn   Expr
	Args Arguments
}

// Filter is value | name(args).
type Filter struct {
	Value Expr
	Name  string
	Args  Arguments
}

// Test is value is name(args).
type Test struct {
	Value Expr
	Name  string
	Args  Arguments
}

// Cond is then if cond else other; other may be nil.
type Cond struct{ Then, Cond, Other Expr }

// Logic is left and right, or left or right.
type Logic struct {
	Left, Right Expr
	Or          bool
}

// Not is not value.
type Not struct{ Value Expr }

// Compare is first op rest, op rest and so on, as in a < b < c.
type Compare struct {
	First Expr
	Ops   []string
	Rest  []Expr
}

// Binary is left op right.
type Binary struct {
	Op          string
	Left, Right Expr
}

// Unary is -value or +value.
type Unary struct {
	Negate bool
	Value  Expr
}

// Text stands outside of tags.
type Text string

// Print is {{ value }}.
type Print struct{ Value Expr }

// Break leaves a loop.
type Break struct{}

// Continue goes on with its next turn.
type Continue struct{}

// If has an elif as an If in Other.
type If struct {
	Cond        Expr
	Then, Other []Stmt
}

// For runs Empty where there is nothing to go through; Cond may be nil.
type For struct {
	Target      Target
	Iter, Cond  Expr
	Body, Empty []Stmt
}

// Set assigns a value, or as a block its text or what Filter, unless nil, makes of that.
type Set struct {
	Target Target
	Value  Expr
	Block  bool
	Body   []Stmt
	Filter Expr
}

// With gives its body variables of its own.
type With struct {
	Names  []string
	Values []Expr
	Body   []Stmt
}

// Macro defines one.
type Macro struct{ Signature *Signature }

// CallBlock calls with its body as the macro caller.
type CallBlock struct {
	Call   *Call
	Caller *Signature
}

// FilterBlock prints what a filter makes of its body.
type FilterBlock struct {
	Filter Expr
	Body   []Stmt
}

// Target is what is assigned to.
type Target struct {
	Names  []string
	Attr   string // of the namespace Names[0]
	Unpack bool
}

// Signature is a macro as written.
type Signature struct {
	Name     string
	Params   []string
	Defaults []Expr // of the last parameters
	Body     []Stmt
}

func (Const) expr()    {}
func (Name) expr()     {}
func (Captured) expr() {}
func (*List) expr()    {}
func (*Dict) expr()    {}
func (*Attr) expr()    {}
func (*Item) expr()    {}
func (*Slice) expr()   {}
func (*Call) expr()    {}
func (*Filter) expr()  {}
func (*Test) expr()    {}
func (*Cond) expr()    {}
func (*Logic) expr()   {}
func (*Not) expr()     {}
func (*Compare) expr() {}
func (*Binary) expr()  {}
func (*Unary) expr()   {}

func (Text) stmt()         {}
func (Print) stmt()        {}
func (Break) stmt()        {}
func (Continue) stmt()     {}
func (*If) stmt()          {}
func (*For) stmt()         {}
func (*Set) stmt()         {}
func (*With) stmt()        {}
func (*Macro) stmt()       {}
func (*CallBlock) stmt()   {}
func (*FilterBlock) stmt() {}
