"""The app: environments, and the stacks that each of them is made of."""
