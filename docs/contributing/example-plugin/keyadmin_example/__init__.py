"""A sink and an audit rule for keyadmin."""
