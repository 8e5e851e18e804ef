"""The pydantic-ai model. The only folder that imports pydantic-ai."""
