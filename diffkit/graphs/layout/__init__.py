"""Where things go: the graph as DOT, Graphviz's answer, and the lines drawn across it."""
