"""What a student is told about each kind of mistake: three sentences, each plainer than the one before.

None of them states the right derivative. A hint level of 1 shows the first, 2 the second too, 3 all.
"""

from __future__ import annotations

from dataclasses import replace

from diffkit.grading.judging.results import UNFINISHED, UNWRITTEN, Diagnosis

MESSAGES: dict[str, tuple[str, str, str]] = {
    "sign": (
        "A sign is wrong.",
        "Differentiate by {of} once more and watch each minus on the way.",
        "The numbers are right up to a sign{detail}.",
    ),
    "zero returned": (
        "The derivative is zero where it should not be.",
        "{Of} does have an influence on the answer.",
        "Zeros were returned for {of}.",
    ),
    "constant factor": (
        "A constant factor is wrong.",
        "Differentiate on paper and keep every number that comes down from an exponent or a mean.",
        "The answer for {of} is {detail} the right one.",
    ),
    "size factor": (
        "A factor that depends on the size of the input is wrong.",
        "Is this a sum or a mean, and over how many entries? Is the factor applied twice?",
        "The answer for {of} is the right one {detail}.",
    ),
    "shape": (
        "The numbers are right, the shape is not.",
        "A cotangent has the shape of its argument: (n,) and (n, 1) are different shapes.",
        "Compare the shape of what you return for {of} with the shape of {of}.",
    ),
    "wrong shape": (
        "The shape of the answer is wrong.",
        "A cotangent has the shape of its argument.",
        "Write down the shapes of g and of {of}, and of every step between them.",
    ),
    "broadcast not summed": (
        "It fails where an argument is broadcast.",
        "An entry that is repeated goes into several outputs, and each of them contributes.",
        "For {of}, add up the contributions along the axes along which it was repeated{detail}.",
    ),
    "broadcast averaged": (
        "It fails where an argument is broadcast.",
        "The contributions of the repeated entries are averaged.",
        "For {of}, the chain rule asks for another way to combine contributions than the mean.",
    ),
    "summed over the wrong axis": (
        "It fails where an argument is broadcast.",
        "A sum runs over the wrong axis, or keeps or drops an axis that it should not.",
        "Compare the shape of {of} with that of g, from the last axis backwards.",
    ),
    "upstream forgotten": (
        "The answer does not depend on g as it should.",
        "By the chain rule the local derivative is combined with the cotangent g.",
        "For {of} you return the local derivative alone.",
    ),
    "upstream squared": (
        "The answer is not linear in g.",
        "Twice the cotangent must give twice the answer.",
        "For {of}, g is multiplied in twice.",
    ),
    "upstream masked": (
        "The answer is not linear in g.",
        "Whether a unit was active depends on the input, not on g.",
        "For {of}, a condition, absolute value or bound is applied to g{detail}.",
    ),
    "upstream summed or averaged": (
        "The entries of g are mixed up with one another.",
        "Each output has a cotangent of its own, which goes back to the inputs that it was made of.",
        "For {of}, g is {detail} before it is used.",
    ),
    "local derivative forgotten": (
        "g is passed on unchanged.",
        "The operation has a derivative of its own, which g is to be combined with.",
        "For {of} you return g alone{detail}.",
    ),
    "Jacobian returned": (
        "The answer has the axes of the output and of the input.",
        "A rule returns a product with the Jacobian, not the Jacobian.",
        "Contract what you have for {of} with g over the output's axes.",
    ),
    "JVP for VJP": (
        "The Jacobian is applied from the wrong side.",
        "Reverse mode multiplies by the transposed Jacobian.",
        "For {of} you compute J g; on a rectangular Jacobian the shapes would not fit.",
    ),
    "diagonal only": (
        "Some influences between entries are left out.",
        "Each output may depend on every input entry: think of the whole Jacobian.",
        "For {of} you use its diagonal only.",
    ),
    "outputs swapped": (
        "The answers for two arguments are interchanged.",
        "Which argument is the derivative by, and which one stays in the result?",
        "What is returned for {of} belongs to another argument.",
    ),
    "operands swapped": (
        "Two operands are interchanged.",
        "Write the rule with the shapes of all its factors, and see which one fits where.",
        "For {of}, look at which operand is used where ({detail}).",
    ),
    "ans for x": (
        "Input and answer are confused.",
        "A derivative can be written with the input or with the answer: take care which you have.",
        "For {of}, check where you use ans and where the input.",
    ),
    "missing transpose": (
        "A transpose is missing, or there is one too many.",
        "Try the rule on matrices that are not square, and write down every shape.",
        "For {of}, look at the transposes of the factors.",
    ),
    "elementwise product": (
        "An elementwise product stands where a matrix product belongs.",
        "In Python, * multiplies entry by entry and @ multiplies matrices.",
        "For {of}, check each * and @, and the transposes.",
    ),
    "factor dropped": (
        "A factor is missing, or there is one too many.",
        "Count the factors in the derivative on paper.",
        "For {of} the product has another number of factors.",
    ),
    "axes in another order": (
        "The entries are right but stand in the wrong places.",
        "What undoes a permutation of axes is its inverse.",
        "For {of}, check the order of the axes{detail}.",
    ),
    "entries in reverse order": (
        "The entries are right but stand in the reverse order.",
        "Follow one entry from the input to the output and back.",
        "For {of}, check the direction along each axis.",
    ),
    "wrong axis or keepdims": (
        "It fails where an axis is given.",
        "The reduced axis must be put back before g can be combined with the input.",
        "For {of}, check axis and keepdims{detail}.",
    ),
    "keyword ignored": (
        "A keyword argument is not taken into account.",
        "Try other values than the default.",
        "For {of}: {detail}.",
    ),
    "overwritten": (
        "Contributions overwrite each other where they should add up.",
        "An entry that is used several times gets a contribution from each use.",
        "For {of}, accumulate; with repeated indices, note that a[i] += b adds only once.",
    ),
    "contributions averaged": (
        "Contributions are averaged where they should add up.",
        "An entry that is used several times gets a contribution from each use.",
        "For {of}, look at how repeated uses are combined.",
    ),
    "path dropped": (
        "One way in which the input reaches the answer is left out.",
        "Draw the graph: the input is used more than once, and each use contributes.",
        "For {of}, one of the contributions is missing.",
    ),
    "path counted twice": (
        "One way in which the input reaches the answer is counted twice.",
        "Draw the graph and tick off each edge as you differentiate along it.",
        "For {of}, one of the contributions is twice what it should be.",
    ),
    "changed in place": (
        "An input is changed in place.",
        "A rule must leave g and the arguments as they were: others still need them.",
        "Look for assignments into, or augmented assignments (+=, *=) to, {detail}.",
    ),
    "stale cache": (
        "The second use gives an answer that belongs to the first.",
        "What is remembered between calls must belong to the last forward pass of that object.",
        "Look for values kept in the class, in a global variable, or set only once.",
    ),
    "accumulates between calls": (
        "Calling it again gives another answer.",
        "A call must not leave anything behind that the next one adds to.",
        "The second call gives the first answer twice over: something is not reset.",
    ),
    "not repeatable": (
        "Calling it again gives another answer.",
        "The same input must give the same answer, to rounding.",
        "Look for random numbers and for state that is kept between calls.",
    ),
    "integer truncation": (
        "Decimals get lost.",
        "An integer array cannot hold them: np.zeros_like of integers, //, int() and astype(int) cut off.",
        "For {of}, {detail} has been made whole.",
    ),
    "float32": (
        "The numbers are right to about seven digits only.",
        "Somewhere single precision is used.",
        "For {of}, look for float32.",
    ),
    "overflow": (
        "For large inputs the answer is not finite.",
        "exp overflows above 709; inf / inf is nan.",
        "For {of}, use a form in which exp has arguments that are never large and positive.",
    ),
    "division by zero": (
        "The answer is not finite where an entry is zero.",
        "A quotient by an entry (or by the answer) fails there, though the derivative exists.",
        "For {of}, find a form without that division.",
    ),
    "not finite": (
        "The answer is not finite where the right one is.",
        "Look for 0 / 0, inf - inf, and nan in the input.",
        "For {of}, find the entry that is not finite and the step that makes it so.",
    ),
    "epsilon misplaced": (
        "A small constant is in the wrong place.",
        "An epsilon belongs where the forward function has it, and nowhere else.",
        "For {of}, look at the epsilon ({detail}).",
    ),
    "finite differences": (
        "The numbers are nearly right.",
        "Their error is that of a difference quotient; derive the rule instead.",
        "For {of}, the error fits {detail}.",
    ),
    "missing factor": (
        "A factor is missing, or there is one too many.",
        "Compare your answer with the right one entry by entry, as a quotient.",
        "Your answer for {of} is the right one times {detail}.",
    ),
    "wrong local derivative": (
        "The local derivative is another function's.",
        "Look the derivative up, or derive it from the definition.",
        "For {of}, the local derivative that you use is {detail}.",
    ),
    "ties": (
        "It is wrong only at ties or kinks.",
        "Where several entries are largest, their shares of g must be nonnegative and add up to all of it.",
        "For {of}, check what happens when two candidates are equal, or the input is at the kink.",
    ),
    "not linear": (
        "The answer is not linear in g.",
        "A derivative is linear in the cotangent: 2g gives twice the answer, 0 gives 0.",
        "Look at every place where g stands, and at whether anything else is added.",
    ),
    "sweep out of order": (
        "Some adjoints are passed on before they are complete.",
        "A node may pass its adjoint on only when all that use it have contributed.",
        "Sort the nodes: each comes after everything that was computed from it. Fan-outs show the mistake.",
    ),
    "VJP for JVP": (
        "The Jacobian is applied from the wrong side.",
        "A tangent is pushed from the input to the answer: J t, of the answer's shape.",
        "Write down what a small change t of the input does to each entry of the answer.",
    ),
    UNFINISHED: (
        "What kind of mistake it is was not found with the work that is allowed for it.",
        "The numbers above show where it fails.",
        "Start with the smallest input that fails.",
    ),
    "wrong count": (
        "The number of values returned is wrong.",
        "Return one cotangent for each argument to differentiate by, as a tuple.",
        "Check the return statement.",
    ),
    "wrong value": (
        "The function itself gives another value.",
        "Before its derivative, the function has to be right: the table above compares the values.",
        "Compute the value at the input above by hand, and see which step gives another number.",
    ),
    "wrong value, right derivative": (
        "The function itself gives another value; your derivative is right for the function that you wrote.",
        "Compare the two functions: a constant, a mean for a sum, another convention?",
        "Once the value is right, differentiate the same way again.",
    ),
    "dtype": (
        "The numbers are right, their type is not.",
        "A cotangent has the dtype of its argument.",
        "Check the dtype of what you return for {of}.",
    ),
    "raises": (
        "Your code raises an exception.",
        "Call your function by hand with the input above, and look at the line that is named.",
        "{detail}",
    ),
    UNWRITTEN: (
        "This is not written yet.",
        "{detail}, as in a starter file.",
        "Write it in place of that.",
    ),
    "term dropped": (
        "One term of the tangent is missing.",
        "Each argument contributes a term: its tangent times the partial derivative by it.",
        "Look for the term of {of}.",
    ),
    "not an array": (
        "What is returned is not an array.",
        "Check that every branch returns, and returns numbers.",
        "For {of}, look at the return statement.",
    ),
}


def messages(name: str, arguments: tuple[str, ...], detail: str) -> tuple[str, ...]:
    """The three sentences for a kind of mistake."""
    if name not in MESSAGES:  # a course team's own misconception says it all in its message
        return (detail,)
    of = " and ".join(arguments) or "the input"
    aside = {"constant factor", "size factor", "keyword ignored", "missing factor", "changed in place"}
    aside |= {"wrong local derivative", "finite differences", "epsilon misplaced", "integer truncation"}
    aside |= {"operands swapped", "upstream summed or averaged", "raises", UNWRITTEN}
    shown = detail if name in aside else (f" ({detail})" if detail else "")
    fields = {"of": of, "Of": of[:1].upper() + of[1:], "detail": shown}
    return tuple(text.format(**fields).replace(" ()", "") for text in MESSAGES[name])


def located(found: Diagnosis) -> Diagnosis:
    """Of a whole engine, where one operation is at fault: the last sentence says which."""
    if not found.factor.startswith("in "):
        return found
    return replace(found, messages=(*found.messages[:2], f"Look at what is passed on {found.factor}."))


def named(name: str, arguments: tuple[str, ...], detail: str, instances: int) -> Diagnosis:
    """A diagnosis of this name, with what a student is told."""
    return Diagnosis(name, messages(name, arguments, detail), arguments, instances, detail)
