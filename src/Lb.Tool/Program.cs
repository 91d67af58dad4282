using Lb.Tool;

return await LbCommand.InvokeAsync(args, Console.Out, Console.Error).ConfigureAwait(false);
