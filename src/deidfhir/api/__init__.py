"""The functions that integration code and gateways call; `import deidfhir` shows them all.

Nothing here prints or logs. What is not accepted is refused by default, as on the command line.
"""
