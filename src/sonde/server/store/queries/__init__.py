"""What the console asks of the store, a file for each topic. All values travel as the server's own parameters.

`apps`, everywhere: ids of the apps that the asker may see; None stands for all.
"""
