import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.BreakIterator;
import java.text.spi.BreakIteratorProvider;
import java.util.Locale;

/**
 * Where Thai words end, for a Java made small that left its Thai dictionary out: OpenSearch makes an index only where
 * some are found. Every letter is a word here. A Java that has the dictionary uses it.
 */
public class ThaiWords extends BreakIteratorProvider {
    private static final URI DICTIONARY = URI.create("jrt:/jdk.localedata/sun/text/resources/ext/thai_dict");

    @Override
    public Locale[] getAvailableLocales() {
        return Files.exists(Path.of(DICTIONARY)) ? new Locale[0] : new Locale[] {Locale.of("th")};
    }

    @Override
    public BreakIterator getWordInstance(Locale locale) {
        return BreakIterator.getCharacterInstance(Locale.ROOT);
    }

    @Override
    public BreakIterator getLineInstance(Locale locale) {
        return BreakIterator.getLineInstance(Locale.ROOT);
    }

    @Override
    public BreakIterator getCharacterInstance(Locale locale) {
        return BreakIterator.getCharacterInstance(Locale.ROOT);
    }

    @Override
    public BreakIterator getSentenceInstance(Locale locale) {
        return BreakIterator.getSentenceInstance(Locale.ROOT);
    }
}
