"""Long streams over connections that break all the time: is every word heard once?"""
