"""What is compared: each module measures one thing on all contenders and says which goals hold."""
