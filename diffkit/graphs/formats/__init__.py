"""A laid-out graph as SVG, PNG, PDF, TikZ, Mermaid, or a page."""
