"""The output items of an answer: what the wire's events about each of them stand for, and in which order.

`output_item.done` is the item of record (captured); every final frame settles what the pieces before it left.
"""
