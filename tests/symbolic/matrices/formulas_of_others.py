# ruff: noqa: E501
"""Formulas that others have written down: tests of other systems, tables, questions asked in public.

Each line is `kind variable | formula | published answer`: g is a gradient, j a Jacobian, h a Hessian, s a
derivative by a scalar. An answer is there where its source prints one; facts about a matrix stand behind it.
Square matrices A B C D X are n x n, columns a b c d x y z v n x 1, R S P n x m, w u m x 1, Q m x m.
"""

import sympy
from sympy import (
    Abs,
    Determinant,
    DiagMatrix,
    HadamardPower,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Trace,
    ZeroMatrix,
    cos,
    exp,
    eye,
    log,
    sign,
    sin,
    sqrt,
    tan,
    tanh,
)
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf

n, m, k = sympy.symbols("n m k", integer=True, positive=True)
t, s = sympy.symbols("t s", positive=True)
NAMES = {
    name: MatrixSymbol(name, n, n) for name in ("A", "B", "C", "D", "X", "E", "F", "G", "Y", "W", "U", "M")
}
NAMES |= {name: MatrixSymbol(name, n, 1) for name in ("a", "b", "c", "d", "x", "y", "z", "v")}
NAMES |= {name: MatrixSymbol(name, n, m) for name in ("R", "S", "P", "T")}
NAMES |= {
    "w": MatrixSymbol("w", m, 1),
    "u": MatrixSymbol("u", m, 1),
    "Q": MatrixSymbol("Q", m, m),
    "V": MatrixSymbol("V", m, n),
}
NAMES |= {
    "n": n, "m": m, "k": k, "t": t, "s": s, "tr": Trace, "det": Determinant, "had": HadamardProduct, "pw": HadamardPower,
    "f": lambda e, body: e.applyfunc(body), "dg": DiagMatrix, "diag": DiagonalOf, "part": DiagonalMatrix,
    "total": lambda e: OneMatrix(1, e.shape[0]) * e * OneMatrix(e.shape[1], 1) if e.shape[1] != 1 else OneMatrix(1, e.shape[0]) * e,
    "sq": lambda e: Trace(e.T * e), "I": Identity(n), "one": OneMatrix(n, 1), "ones": OneMatrix, "J": OneMatrix(n, n),
    "Zero": ZeroMatrix, "Kron": KroneckerProduct, "half": Rational(1, 2), "eye": eye, "Identity": Identity,
    **{g.__name__: g for g in (sin, cos, tan, tanh, exp, log, Abs, sign)}, "sqrt": sqrt,
    "relu": lambda v: sympy.Max(v, 0), "softplus": lambda v: log(1 + exp(v)), "sigmoid": lambda v: 1 / (1 + exp(-v)),
}  # fmt: skip

SOURCES = {
    "DiffMatic.jl, test/StdStrTest.jl and DiffTest.jl (2025)": """
g x | x.T*x | 2*x
g x | tr(x*x.T) | 2*x
g x | had(y, c).T*x | had(y, c)
g x | had(x, c).T*x | 2*had(x, c)
g x | (x + y).T*x | 2*x + y
g x | (x - y).T*x | 2*x - y
g x | sin(tr(x*x.T)) | 2*cos(tr(x.T*x))*x
g x | cos(tr(x*x.T)) | -2*sin(tr(x.T*x))*x
g x | tr(A) | Zero(n, 1)
g x | Abs(tr(x.T*x)) | 2*sign(tr(x.T*x))*x
g x | x.T*B.T*A*A*x | A.T*A.T*B*x + B.T*A*A*x
g x | (A.T*B*x).T*A*x | A.T*A.T*B*x + B.T*A*A*x
g x | t*f(y, sin).T*x | t*f(y, sin)
g x | t*f(x, sin).T*y | t*had(y, f(x, cos))
g x | t*x.T*f(y, sin) | t*f(y, sin)
g x | t*y.T*f(x, sin) | t*had(y, f(x, cos))
g x | f(had(x, y), sin).T*x | had(f(had(x, y), cos), x, y) + f(had(x, y), sin)
g x | total(x) | one
g x | 2*total(x) | 2*one
g x | total(2*x) | 2*one
g x | 2*total(f(x, sin)) | 2*f(x, cos)
g x | total(2*f(x, sin)) | 2*f(x, cos)
g x | diag(A).T*x | diag(A)
g x | 2*total(f(A*x + y, cos)) | -2*A.T*f(A*x + y, sin)
g x | total(2*f(A*x + y, cos)) | -2*A.T*f(A*x + y, sin)
g x | total(pw(x, 2)) | 2*x
g x | total(pw(x, 3)) | 3*pw(x, 2)
g x | tr(total(x)*total(x)) | 2*tr(total(x))*one
g x | total(pw(x, 2))**2 | 4*tr(total(pw(x, 2)))*x
g x | total(pw(x + y, 2)) | 2*(x + y)
g x | total(pw(had(x, y), 2)) | 2*had(y, x, y)
g x | total(pw(A*x - y, 2)) | 2*(A.T*A*x - A.T*y)
g x | f(x, log).T*x | one + f(x, log)
g x | f(x, log).T*f(x, log) | 2*had(f(x, log), pw(x, -1))
g x | (x.T*A*x)**(-2) | -2*tr(x.T*A*x)**(-3)*(A.T*x + A*x)
g x | (x.T*A*x)**2 | 2*tr(x.T*A*x)*A.T*x + 2*tr(x.T*A*x)*A*x
g x | (had(A, B)*C*x).T*x | had(A, B)*C*x + C.T*had(A.T, B.T)*x
g x | (had(A, had(B, C))*C*x).T*x | had(A, B, C)*C*x + C.T*had(A.T, B.T, C.T)*x
g x | total(had(A, B)*C*x) | C.T*had(A.T, B.T)*one
g x | had(pw(x, 2), y).T*c | 2*had(y, c, x)
g x | sqrt(sq(A*x)) | 1/sqrt(sq(A*x))*A.T*A*x
g x | f(A*x, log).T*x | A.T*had(x, pw(A*x, -1)) + f(A*x, log)
g x | x.T*f(A*x, sin) | A.T*had(f(A*x, cos), x) + f(A*x, sin)
g x | tr(dg(x)*A*dg(y)*B) |
j x | A*x | A
j x | A.T*x | A.T
j x | had(A, B)*f(A*x, log) | had(A, B)*dg(pw(A*x, -1))*A
j x | f(x, Abs) | dg(f(x, sign))
j x | f(x, log) | dg(pw(x, -1))
j x | dg(A*x)*x | dg(A*x) + dg(x)*A
j x | f(A*x + y, sin) | dg(f(A*x + y, cos))*A
j x | (x.T*B.T*A*A).T | A.T*A.T*B
j x | x*((had(A, B)*C*x).T*x) | tr(x.T*C.T*had(A.T, B.T)*x)*I + x*x.T*C.T*had(A.T, B.T) + x*x.T*had(A, B)*C
j x | diag(A*dg(x)) | dg(diag(A))
j x | x*x.T*x | 2*x*x.T + tr(x.T*x)*I
j x | A*(x + 2*x) | 3*A
j x | -x | -I
g x | total(f(A*x, exp)) | A.T*f(A*x, exp)
g x | exp(x.T*x) | 2*exp(tr(x.T*x))*x
g x | y.T*f(A*x, exp) | A.T*had(f(A*x, exp), y)
j x | f(A*x, exp) | dg(f(A*x, exp))*A
h x | total(f(A*x, exp)) | A.T*dg(f(A*x, exp))*A
j x | had(A, A.T)*x | had(A, A.T)
j x | had(A, B.T)*x | had(A, B.T)
g x | x.T*had(A, A.T)*x | had(A.T, A)*x + had(A, A.T)*x
g x | x.T*had(A, B.T)*x | had(A.T, B)*x + had(A, B.T)*x
g x | total(had(A, A.T)*x) | had(A.T, A)*one
g A | diag(A).T*x | dg(x)
g X | total(had(-y, X*z)) | -y*z.T
h x | x.T*A*x | A.T + A
h x | 2*x.T*A*x | 2*A.T + 2*A
h x | 2*x.T*x | 4*I
h x | sin(cos(x.T*A*B.T*x)) |
h x | x.T*f(A*x, sin) | dg(f(A*x, cos))*A + A.T*dg(f(A*x, cos)) - A.T*dg(had(x, f(A*x, sin)))*A
h x | (A*x).T*f(B*x, sin) | A.T*dg(f(B*x, cos))*B - B.T*dg(had(A*x, f(B*x, sin)))*B + B.T*dg(f(B*x, cos))*A
h x | (A*x).T*f(A*x, sin) | A.T*dg(f(A*x, cos))*A - A.T*dg(had(A*x, f(A*x, sin)))*A + A.T*dg(f(A*x, cos))*A
h x | tr(A) | Zero(n, n)
h x | y.T*f(A*x, sin) | -A.T*dg(had(y, f(A*x, sin)))*A
h x | f(A*x, sin).T*f(B*x, cos) | -B.T*dg(had(f(A*x, sin), f(B*x, cos)))*B - B.T*dg(had(f(A*x, cos), f(B*x, sin)))*A - A.T*dg(had(f(A*x, cos), f(B*x, sin)))*B - A.T*dg(had(f(B*x, cos), f(A*x, sin)))*A
h x | total(had(f(A*x, sin), f(B*x, cos))) | -B.T*dg(had(f(A*x, sin), f(B*x, cos)))*B - B.T*dg(had(f(A*x, cos), f(B*x, sin)))*A - A.T*dg(had(f(A*x, cos), f(B*x, sin)))*B - A.T*dg(had(f(B*x, cos), f(A*x, sin)))*A
h x | had(x, y).T*f(A*x, sin) | dg(had(f(A*x, cos), y))*A - A.T*dg(had(x, y, f(A*x, sin)))*A + A.T*dg(had(f(A*x, cos), y))
h x | f(A*x, sin).T*B*f(C*x, cos) | -C.T*dg(f(C*x, sin))*B.T*dg(f(A*x, cos))*A - C.T*dg(had(B.T*f(A*x, sin), f(C*x, cos)))*C - A.T*dg(f(A*x, cos))*B*dg(f(C*x, sin))*C - A.T*dg(had(B*f(C*x, cos), f(A*x, sin)))*A
""",
    "matrixcalculus.org, documentation": """
g x | half*x.T*A*x | half*(A*x + A.T*x)
j x | A*f(x, exp) | A*dg(f(x, exp))
g x | had(y, v).T*x | had(y, v)
g x | total(f(A*x - y, Abs)) | A.T*f(A*x - y, sign)
g x | sq(A*x - y) | 2*A.T*(A*x - y)
g w | total(f(had(-y, R*w), lambda v: log(exp(v) + 1))) |
g X | tr(A*X.T*B*X*C) | B*X*C*A + B.T*X*A.T*C.T
g X | log(det(X.I)) | -X.I.T
j x | A*x | A
g x | v.T*x | v
g X | tr(A*X) | A.T
""",
    "Laue, Mitterreiter, Giesen (2018, 2020): the experiments' functions": """
h x | x.T*A*x | A + A.T
g w | total(f(had(-y, R*w), lambda v: log(exp(v) + 1))) |
h w | total(f(had(-y, R*w), lambda v: log(exp(v) + 1))) |
g S | sq(A - S*P.T) | -2*(A - S*P.T)*P
g S | sq(had(B, A - S*P.T)) | -2*had(B, B, A - S*P.T)*P
g W | log(total(f(W*f(U*x, relu), exp))) - tr(y.T*W*f(U*x, relu)) |
g U | log(total(f(W*f(U*x, relu), exp))) - tr(y.T*W*f(U*x, relu)) |
h x | log(total(f(A*x, exp))) |
g x | log(total(f(A*x + b, exp))) |
h x | half*sq(A*x - b) | A.T*A
""",
    "vjp_compiler, main.c: its own tests": """
g X | tr(G.T*(E*F*(X + B)*(C + X)).T) | ((C + X)*G*E*F + G*E*F*(X + B)).T
g X | tr(G.T*(X*B + C*(X*D))) | G*B.T + C.T*G*D.T
g X | tr(X.T*G) | G
g X | tr(X.T*(10*I)) | 10*I
g X | tr(A.T*G) | Zero(n, n)
g X | tr(A.T*G) + tr(A.T*G) | Zero(n, n)
g X | tr(G.T*(10*I + X)) | G
g X | tr(G.T*(X + X)) | 2*G
g X | tr(G.T*(A*X + A*X)) | 2*A.T*G
g X | tr((5*A*B.T + 6*A*B.T + 6*A.T + 12*W + 6*I).T*X) | 11*A*B.T + 6*A.T + 12*W + 6*I
g X | tr((A*C + B*A + (B*A + B*A) + B + B).T*X) | A*C + 3*B*A + 2*B
g X | tr(X.T*X) | 2*X
g X | tr(X.T*X*X) | X*(X + X.T) + X.T*X
g X | tr(G.T*((C + X)*G*E*F + G*E*F*(X + B))) | G*(G*E*F).T + (G*E*F).T*G
g X | tr((A*B + B).T*X) | A*B + B
g A | tr((4*I + X + 2*X*Y + 2*X*X*Y + X*X*Y*Y).T*A) | 4*I + X + (2*X + X*(2*X + X*Y))*Y
g X | tr((A + B*C + (B*D + C)).T*X) | A + B*(C + D) + C
""",
    "Matrix Cookbook (2012) by number, as in a Wolfram test file": """
g X | det(X) | det(X)*X.I.T
g X | det(A*X*B) | det(A*X*B)*X.I.T
g X | det(X.T*A*X) | 2*det(X.T*A*X)*X.I.T
g S | det(S.T*A*S) | det(S.T*A*S)*(A*S*(S.T*A*S).I + A.T*S*(S.T*A.T*S).I)
g S | log(det(S.T*S)) | 2*S*(S.T*S).I
g X | log(det(X)) | X.I.T
g X | det(X**k) | k*det(X**k)*X.I.T
g X | det(X**3) | 3*det(X**3)*X.I.T
g X | det(X.I) | -det(X.I)*X.I.T
g X | tr(A*X.I*B) | -X.I.T*A.T*B.T*X.I.T
g X | tr((X + A).I) | -((X + A).I*(X + A).I).T
g X | tr(X**k) | k*(X.T)**(k - 1)
g X | tr(X**4) | 4*(X.T)**3
g X | tr(A*X**3) | A.T*X.T*X.T + X.T*A.T*X.T + X.T*X.T*A.T
g R | tr(V*R) | V.T
g R | tr(A*R*V) | A.T*V.T
g R | tr(A*R*Q*R.T*C) | A.T*C.T*R*Q.T + C*A*R*Q
g R | tr((A*R*Q + S)*(A*R*Q + S).T) | 2*A.T*(A*R*Q + S)*Q.T
g R | tr(w.T*R.T*C*R*R.T*C*R*w) | C*R*R.T*C*R*w*w.T + C.T*R*w*w.T*R.T*C.T*R + C*R*w*w.T*R.T*C*R + C.T*R*R.T*C.T*R*w*w.T
g A | a.T*X.I*b | Zero(n, n)
g X | b.T*X.T*X*c | X*(b*c.T + c*b.T)
g R | w.T*R.T*D*R*u | D.T*R*w*u.T + D*R*u*w.T
g R | (R*w + c).T*D*(R*w + c) | (D + D.T)*(R*w + c)*w.T
g w | (x - R*w).T*A*(x - R*w) | -2*R.T*A*(x - R*w) | Q.symmetric(A)
g x | (x - s*R*w).T*A*(x - s*R*w) | 2*A*(x - s*R*w) | Q.symmetric(A)
g R | (x - R*w).T*A*(x - R*w) | -2*A*(x - R*w)*w.T | Q.symmetric(A)
g x | x.T*A*x + b.T*x | (A + A.T)*x + b
h x | x.T*A*x + b.T*x | A + A.T
g x | sqrt((x - a).T*(x - a)) | (x - a)/sqrt(tr((x - a).T*(x - a)))
j x | (x - a)/sqrt(tr((x - a).T*(x - a))) | I/sqrt(tr((x - a).T*(x - a))) - (x - a)*(x - a).T/sqrt(tr((x - a).T*(x - a)))**3
g x | x.T*x | 2*x
g R | tr(R*R.T) | 2*R
g X | tr((X.T*C*X).I*A) | -C*X*(X.T*C*X).I*(A + A.T)*(X.T*C*X).I | Q.symmetric(C)
g X | tr((X.T*C*X).I*(X.T*B*X)) | -2*C*X*(X.T*C*X).I*X.T*B*X*(X.T*C*X).I + 2*B*X*(X.T*C*X).I | Q.symmetric(B) & Q.symmetric(C)
g R | tr((Q + R.T*C*R).I*(R.T*B*R)) |  -2*C*R*(Q + R.T*C*R).I*R.T*B*R*(Q + R.T*C*R).I + 2*B*R*(Q + R.T*C*R).I | Q.symmetric(B) & Q.symmetric(C) & Q.symmetric(Q_)
s t | (A + t*B)*(C + t*D) | B*(C + t*D) + (A + t*B)*D
s t | had(A + t*B, C + t*D) | had(B, C + t*D) + had(A + t*B, D)
s t | Kron(A + t*B, C + t*D) | Kron(B, C + t*D) + Kron(A + t*B, D)
s t | (A + t*B).I | -(A + t*B).I*B*(A + t*B).I
s t | det(A + t*B) | det(A + t*B)*tr((A + t*B).I*B)
s t | log(det(A + t*B)) | tr((A + t*B).I*B)
s t | (A + t*B).T | B.T
s t | tr(A + t*B) | tr(B)
s t | s*(A + t*B) | s*B
g X | tr(Kron(X, X)) | 2*tr(X)*I
g X | tr(Kron(A, X)) | tr(A)*I
g A | tr(A*X) | half*(X + X.T) | Q.symmetric(A)
g A | tr(A*X) | part(X) | Q.diagonal(A)
g A | log(det(A)) | A.I | Q.positive_definite(A)
g x | log(exp(-half*tr((x - a).T*A.I*(x - a)))/sqrt(det(A))) | -A.I*(x - a) | Q.positive_definite(A)
g A | -half*log(det(A)) - half*tr((x - a).T*A.I*(x - a)) | -half*A.I + half*A.I*(x - a)*(x - a).T*A.I | Q.positive_definite(A)
h x | -half*(x - a).T*A.I*(x - a) | -A.I | Q.positive_definite(A)
""",
    "SymPy's issues 5858, 10989, 15136, 15614, 16606, 17229, 21062, 23492, 23931, 24725, 25118, 26585, 27406, 28615, 28622, 28838, 30527": """
g X | tr(X**2*B) | (X*B + B*X).T
g A | tr(X*A) | X.T
g X | tr(X.T*A*X) | (A + A.T)*X
s t | v*t + a | v
j a | v*t + a | I
j v | v*t + a | t*I
g w | w.T*R.T*R*w + y.T*R*w | 2*R.T*R*w + R.T*y
g X | X[1, 1] |
s t | X[1, 1]*t | X[1, 1]
j x | f(x, exp) | dg(f(x, exp))
j w | f(R*w, exp) | dg(f(R*w, exp))*R
g A | tr(A) + tr(A**2) | I + 2*A.T
j x | x/tr(x.T*x) | I/tr(x.T*x) - 2*x*x.T/tr(x.T*x)**2
s t | tr((x - t*one).T*(x - t*one)) | -2*tr(one.T*(x - t*one))
g v | tr(x.T*v) + t | x
g F | tr(F.T*F) - 3 | 2*F
g R | half*sq(A - R*V) + half*sq(A) | -(A - R*V)*V.T
g R | half*sq(A - R*V) + half*sq(R) | -(A - R*V)*V.T + R
g A | tr(A.T*A) + tr(B.T*B) | 2*A
g A | sqrt(tr(A.T*A)) | A/sqrt(tr(A.T*A))
g X | det(X**k) | k*det(X**k)*X.I.T
g X | t*det(X) | t*det(X)*X.I.T
g X | 1/det(X) | -X.I.T/det(X)
g X | t + det(X) | det(X)*X.I.T
g A | tr(I - A)**2 | -2*tr(I - A)*I
g A | tr(Kron(A, B)*Kron(C, D)) | tr(B*D)*C.T
""",
    "questions asked at math.stackexchange": """
g U | tr(had(J*U - W, J*U - W)) | 2*J*part(J*U - W)
g B | sq(A - had(B, C)*D) | 2*had(C, (had(B, C)*D - A)*D.T)
g C | sq(A - had(B, C)*D) | 2*had(B, (had(B, C)*D - A)*D.T)
g D | sq(A - had(B, C)*D) | 2*had(B, C).T*(had(B, C)*D - A)
g F | sq(had(F, M)) | 2*had(M, F, M)
g R | sq(A - had(B, R*R.T)) | 2*(had(B, had(B, R*R.T) - A) + had(B.T, had(B.T, R*R.T) - A.T))*R
g X | sq(A*had(B, X)) | 2*had(B, A.T*A*had(B, X))
j x | A*pw(B*x, 2) | 2*A*dg(B*x)*B
g A | log(det(A + (R*w)*(R*w).T)) | (A + R*w*w.T*R.T).I | Q.positive_definite(A)
g w | log(det(A + (R*w)*(R*w).T)) | 2*R.T*(A + R*w*w.T*R.T).I*R*w | Q.positive_definite(A)
g v | log(det(t*v*v.T + (1 - t)*had(I, v*v.T))) | 2*had(t*J + (1 - t)*I, (t*v*v.T + (1 - t)*had(I, v*v.T)).I)*v
s t | log(det(t*v*v.T + (1 - t)*had(I, v*v.T))) | tr((t*v*v.T + (1 - t)*had(I, v*v.T)).I*(v*v.T - had(I, v*v.T)))
g B | -log(det(C*B*C.T)) - tr((x - A*y).T*(C*B*C.T).I*(x - A*y)) |
g A | -log(det(C*B*C.T)) - tr((x - A*y).T*(C*B*C.T).I*(x - A*y)) |
g C | -log(det(C*B*C.T)) - tr((x - A*y).T*(C*B*C.T).I*(x - A*y)) |
g a | half*tr((x - a).T*(R*R.T + A).I*(x - a)) + n/2*log(det(R*R.T + A)) | -(R*R.T + A).I*(x - a) | Q.positive_definite(A)
g R | half*tr((x - a).T*(R*R.T + A).I*(x - a)) + n/2*log(det(R*R.T + A)) | -(R*R.T + A).I*(x - a)*(x - a).T*(R*R.T + A).I*R + n*(R*R.T + A).I*R | Q.positive_definite(A)
g A | half*tr((x - a).T*(R*R.T + A).I*(x - a)) + n/2*log(det(R*R.T + A)) | -half*(R*R.T + A).I*(x - a)*(x - a).T*(R*R.T + A).I + n/2*(R*R.T + A).I | Q.positive_definite(A)
g R | log(det(R*Q*R.T + t*I)) |
g R | log(det(R*Q*R.T + t*I)) | 2*(R*Q*R.T + t*I).I*R*Q | Q.symmetric(Q_)
g Q | tr((R*Q*R.T - A*A.T + D).T*(R*Q*R.T - A*A.T + D)) | 2*R.T*(R*Q*R.T - A*A.T + D)*R
g R | tr((R*Q*R.T - A*A.T + D).T*(R*Q*R.T - A*A.T + D)) |
g R | half*sq(A*R - S) | A.T*(A*R - S)
g R | half*sq(R - S) | R - S
g R | half*sq(A*R*Q - S) | A.T*(A*R*Q - S)*Q.T
g R | det(V*R) | det(V*R)*(V.T*(R.T*V.T).I)
g X | tr(A*X.T*B*X*C) | B*X*C*A + B.T*X*A.T*C.T
g A | log(t + tr((y - b).T*A.I*(y - b))) | -A.I.T*(y - b)*(y - b).T*A.I.T/(t + tr((y - b).T*A.I*(y - b)))
g X | half*sq(A - X*X.T) | -(A + A.T)*X + 2*X*X.T*X
g x | log(total(f(x, exp))) | f(x, exp)/tr(total(f(x, exp)))
h x | log(total(f(x, exp))) |
j x | f(x, exp)/tr(total(f(x, exp))) |
g W | -y.T*f(f(W*x, exp)/tr(total(f(W*x, exp))), log) |
g x | tr(x.T*A*x)/tr(x.T*x) | (A + A.T)*x/tr(x.T*x) - 2*tr(x.T*A*x)/tr(x.T*x)**2*x
h x | tr(x.T*A*x)/tr(x.T*x) |
g Q | sq(f(R*Q + S, sigmoid)) |
g b | total(f(A*X + b*one.T, tanh)) |
g x | total(f(x, softplus)) | f(x, sigmoid)
g x | 1/(1 + exp(-tr(a.T*x))) |
h x | tr(a.T*x)**3 | 6*tr(a.T*x)*a*a.T
""",
    "Wikipedia, Matrix calculus: the tables of identities": """
g x | a.T*x | a
g x | b.T*A*x | A.T*b
g x | a.T*x*x.T*b | (a*b.T + b*a.T)*x
g x | (A*x + b).T*C*(D*x + d) | D.T*C.T*(A*x + b) + A.T*C*(D*x + d)
g x | sqrt(sq(x - a)) | (x - a)/sqrt(sq(x - a))
g x | a.T*f(A*x, sin) | A.T*had(a, f(A*x, cos))
g x | f(A*x, sin).T*f(B*x, exp) | A.T*had(f(A*x, cos), f(B*x, exp)) + B.T*had(f(B*x, exp), f(A*x, sin))
g x | f(A*x, sin).T*C*f(B*x, exp) | A.T*had(f(A*x, cos), C*f(B*x, exp)) + B.T*had(f(B*x, exp), C.T*f(A*x, sin))
j x | tr(x.T*a)*f(x, sin) | f(x, sin)*a.T + tr(x.T*a)*dg(f(x, cos))
j x | A*f(B*x, sin) | A*dg(f(B*x, cos))*B
j x | a*(x.T*x) | 2*a*x.T
g X | tr(t*X) | t*I
g X | tr(X.I*A) | -X.I.T*A.T*X.I.T
g X | tr(A*X*B*X.T*C) | A.T*C.T*X*B.T + C*A*X*B
g X | tr(X.T*A*X) | (A + A.T)*X
g X | log(det(t*X)) | X.I.T
g X | det(t*X) | t**n*det(X)*X.I.T
g X | det(X)**2 | 2*det(X)**2*X.I.T
g X | (X*a + b).T*C*(X*a + b) | (C + C.T)*(X*a + b)*a.T
g X | (X*a).T*C*(X*b) | C*X*b*a.T + C.T*X*a*b.T
g S | det(S.T*A*S) | 2*det(S.T*A*S)*A*S*(S.T*A*S).I | Q.symmetric(A)
s t | f(t*A, exp) | had(A, f(t*A, exp))
s t | A*(B + t*C)*D | A*C*D
s t | tr(f(B + t*C, exp)) | tr(had(C, f(B + t*C, exp)))
s t | (B + t*C).I*(A + t*D) | (B + t*C).I*(D - C*(B + t*C).I*(A + t*D))
""",
    "Bishop, Pattern Recognition and Machine Learning: appendix C and the likelihoods": """
g A | tr(A*B) | B.T
g A | tr(A.T*B) | B
g A | tr(A*B*A.T) | A*(B + B.T)
g A | log(Abs(det(A))) | A.I.T
s t | log(det(A + t*B)) | tr((A + t*B).I*B)
g w | half*sq(y - R*w) + t/2*tr(w.T*w) | -R.T*(y - R*w) + t*w
h w | half*sq(y - R*w) + t/2*tr(w.T*w) | R.T*R + t*Identity(m)
g w | -tr(y.T*f(f(R*w, sigmoid), log)) - tr((one - y).T*f(one - f(R*w, sigmoid), log)) | R.T*(f(R*w, sigmoid) - y)
h w | -tr(y.T*f(f(R*w, sigmoid), log)) - tr((one - y).T*f(one - f(R*w, sigmoid), log)) |
g w | tr(w.T*Q*w)/tr(w.T*V*V.T*w) |
g R | -n/2*log(det(R*R.T + s*I)) - half*tr((R*R.T + s*I).I*A) |
s s | -half*log(det(A + s*I)) - half*tr(y.T*(A + s*I).I*y) | -half*tr((A + s*I).I) + half*tr(y.T*(A + s*I).I*(A + s*I).I*y)
""",
    "objectives of courses: kernels, divergences, factorizations, attention, control": """
g A | half*(tr(B.I*A) + tr((b - a).T*B.I*(b - a)) - n + log(det(B)/det(A))) | half*(B.I.T - A.I.T)
g b | half*(tr(B.I*A) + tr((b - a).T*B.I*(b - a)) - n + log(det(B)/det(A))) | half*(B.I + B.I.T)*(b - a)
g B | half*(tr(B.I*A) + tr((b - a).T*B.I*(b - a)) - n + log(det(B)/det(A))) | half*(B.I.T - B.I.T*(A.T + (b - a)*(b - a).T)*B.I.T)
g w | tr(total(f(R*w, exp))) - tr(y.T*R*w) | R.T*(f(R*w, exp) - y)
g w | total(f(one - had(y, R*w), relu)) |
g Q | tr(total(f(f(R*Q, exp)*ones(m, 1), log))) - tr(S.T*R*Q) | R.T*(had(f(R*Q, exp), pw(f(R*Q, exp)*ones(m, 1), -1)*ones(1, m)) - S)
g R | total(R*V - had(A, f(R*V, log))) | (J - had(A, pw(R*V, -1)))*V.T
g V | total(R*V - had(A, f(R*V, log))) | R.T*(J - had(A, pw(R*V, -1)))
g R | sq(R.T*R - Identity(m)) | 4*R*(R.T*R - Identity(m))
g R | tr(R.T*A*R) | (A + A.T)*R
g X | -log(Abs(det(X))) - tr(total(f(X*x, lambda v: log(1/(exp(v) + exp(-v)))))) |
g R | tr((I - R*V)*A*(I - R*V).T + R*Q*R.T) | -(I - R*V)*(A + A.T)*V.T + R*(Q + Q.T)
g V | x.T*A*x + (V*x).T*Q*(V*x) | (Q + Q.T)*V*x*x.T
g x | exp(-t*tr((x - y).T*(x - y))) | -2*t*exp(-t*tr((x - y).T*(x - y)))*(x - y)
g x | tr(x.T*y)/sqrt(tr(x.T*x)*tr(y.T*y)) |
j x | (I - J/n)*x | I - J/n
j x | (I - J/n)*x/sqrt(sq((I - J/n)*x)/n + t) |
g x | sq((I - J/n)*x)/n | 2/n*(I - J/n)*x
g R | tr(F.T*had(f(R*S.T, exp), pw(f(R*S.T, exp)*one, -1)*one.T)*A) |
g S | tr(F.T*had(f(R*S.T, exp), pw(f(R*S.T, exp)*one, -1)*one.T)*A) |
g A | tr(F.T*had(f(R*S.T, exp), pw(f(R*S.T, exp)*one, -1)*one.T)*A) |
g W | sq(A - f(W*f(U*A, tanh), tanh)) |
g U | sq(A - f(W*f(U*A, tanh), tanh)) |
g D | sq(A - B*D) + t*sq(D) | -2*B.T*(A - B*D) + 2*t*D
g w | total(f(y - R*w, lambda v: sqrt(v**2 + t) - sqrt(t))) |
g D | log(det(I + D*A)) | (I + D*A).I.T*A.T
g a | log(1 + tr(b.T*a)*tr(c.T*a)) |
g w | tr(w.T*V*A*V.T*w)/tr(w.T*Q*w) |
s t | tr((A + t*I).I*B) | -tr((A + t*I).I*(A + t*I).I*B)
h x | exp(-t*tr((x - y).T*(x - y))) |
h w | tr(total(f(R*w, exp))) - tr(y.T*R*w) | R.T*dg(f(R*w, exp))*R
h x | sqrt(sq(A*x - b) + t) |
""",
}  # fmt: skip


def lines():
    """(source, kind, variable, formula, answer or None, assumptions) of every line."""
    from sympy import Q as facts

    for source, text in SOURCES.items():
        for line in text.strip().splitlines():
            head, formula, *rest = (part.strip() for part in line.split("|"))
            kind, by = head.split()
            answer = eval(rest[0], dict(NAMES)) if rest and rest[0] else None
            given = True
            if len(rest) > 1:
                given = eval(rest[1], {**NAMES, "Q": facts, "Q_": NAMES["Q"]})
            expr = eval(formula, dict(NAMES))
            yield source, kind, NAMES[by], expr, sympy.sympify(answer) if answer is not None else None, given
